"""The customer profiles that the shop drops: all that are known when it opens, then each quarter what has changed.

They are NDJSON, one object on a line. A shop with quirks writes them in several ways, repeats a line, and
spoils one of a file that is large enough for it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from salespipe_dagster.synthetic.business import day_number
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile, Piece
from salespipe_dagster.synthetic.online.shop import Shop, midnight
from salespipe_dagster.synthetic.online.shoppers import NO_AGE, Shoppers, shoppers
from salespipe_dagster.synthetic.online.vocabulary import AGE_GROUPS, FIRST_NAMES, LAST_NAMES, REGIONS, TIERS
from salespipe_dagster.synthetic.streams import Ints
from salespipe_spark import months

FOLDER = "customers"

_SOUND = 40
"""Of fewer lines none is spoilt."""
_AT_ONCE = 10_000
_OPENED, _WRITTEN = timedelta(minutes=20), timedelta(days=1, hours=3)
"""How long after midnight of its day a file is written: the first one, and the others."""


@dataclass(frozen=True)
class _Style:
    """How profiles are written: the order of the names, the letters, the ends of lines, what nobody knows."""

    backwards: bool = False
    ascii: bool = False
    newline: str = "\n"
    packed: bool = False
    more: bool = False


_PLAIN = _Style()
_STYLES = (
    _PLAIN,
    _Style(backwards=True, newline="\r\n"),
    _Style(ascii=True, more=True),
    _Style(packed=True),
)


def profile_files(shop: Shop, today: date) -> list[OnlineFile]:
    """The files that are there by today, in the order in which they were written."""
    opened = months.first_day(shop.first_month)
    if opened > today or not shop.sales_per_month:
        return []
    people = shoppers(shop)
    first = np.flatnonzero(people.known(day_number(opened) - 1))
    found = [_file(shop, 0, opened, opened - timedelta(days=1), first, _OPENED)]
    for turn, end in enumerate(_quarters(shop, today), start=1):
        day, begun = day_number(end), day_number(months.first_day(months.shifted(months.month_of(end), -2)))
        news = ((people.signs_up >= begun) & (people.signs_up <= day)) | (
            (people.rises >= begun) & (people.rises <= day)
        )
        found.append(_file(shop, turn, end, end, np.flatnonzero(news & people.known(day)), _WRITTEN))
    return found


def known_at(shop: Shop, today: date) -> date:
    """The day of whose end the profiles are that the files say that are there by today."""
    opened = months.first_day(shop.first_month) - timedelta(days=1)
    return max([opened, *_quarters(shop, today)])


def _quarters(shop: Shop, today: date) -> list[date]:
    """The last days of the quarters that ended by today, from the shop's first month on."""
    found = months.between(shop.first_month, months.month_of(today))
    ends = [months.end_day(month) - timedelta(days=1) for month in found if months.index(month) % 3 == 2]
    return [end for end in ends if end <= today]


def _file(shop: Shop, turn: int, day: date, state: date, chosen: Ints, after: timedelta) -> OnlineFile:
    style = _STYLES[turn % len(_STYLES)] if shop.quirks else _PLAIN
    key = f"{FOLDER}/profiles-{day}.ndjson" + (".gz" if style.packed else "")

    def pieces() -> Iterator[Piece]:
        for start in range(0, len(chosen), _AT_ONCE):
            yield _piece(shop, style, day_number(state), chosen[start : start + _AT_ONCE])
        if shop.quirks and len(chosen) >= _SOUND:
            yield _dirt(shop, style, turn, day_number(state), chosen)

    return OnlineFile(key, midnight(day) + after, pieces, style.packed)


def _piece(shop: Shop, style: _Style, day: int, chosen: Ints) -> Piece:
    return Piece(Book(len(chosen)), lambda: _lines(style, _profiles(shop, style, day, chosen)))


def _dirt(shop: Shop, style: _Style, turn: int, day: int, chosen: Ints) -> Piece:
    """The first profile once more, and the last one as nobody can read it."""
    reason, spoil = _SPOILERS[turn % len(_SPOILERS)]

    def render() -> bytes:
        again, lost = _profiles(shop, style, day, chosen[[0, -1]])
        lost["customer_id"] = f"X{lost['customer_id']}"
        return _lines(style, [again]) + (spoil(lost) + style.newline).encode()

    return Piece(Book(0, 1, Counter({reason: 1})), render)


def _lines(style: _Style, profiles: list[dict[str, Any]]) -> bytes:
    lines = (json.dumps(each, ensure_ascii=style.ascii) + style.newline for each in profiles)
    return "".join(lines).encode()


def _profiles(shop: Shop, style: _Style, day: int, chosen: Ints) -> list[dict[str, Any]]:
    people = shoppers(shop)
    tiers = people.tiers(day)[chosen].tolist()
    found = [_profile(people, style, place, tier) for place, tier in zip(chosen.tolist(), tiers, strict=True)]
    return [dict(reversed(each.items())) for each in found] if style.backwards else found


def _profile(people: Shoppers, style: _Style, place: int, tier: int) -> dict[str, Any]:
    number, age = int(people.numbers[place]), int(people.age[place])
    countries = REGIONS[people.region[place]].countries
    found: dict[str, Any] = {
        "customer_id": f"C{number}",
        "age_group": None if age == NO_AGE else AGE_GROUPS[age][0],
        "membership_tier": TIERS[tier],
        "signup_date": str(np.datetime64(int(people.signs_up[place]), "D")),
        "name": f"{FIRST_NAMES[place % len(FIRST_NAMES)]} {LAST_NAMES[place // 7 % len(LAST_NAMES)]}",
        "email": f"c{number}@customers.example",
        "country": countries[people.country[place] % len(countries)],
    }
    if age == NO_AGE and place % 40 == 13:
        del found["age_group"]
    return found | {"contact": {"newsletter": bool(place % 2), "language": "en"}} if style.more else found


_SPOILERS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("bad_json", lambda profile: json.dumps(profile)[:-9]),
    ("missing_value", lambda profile: json.dumps(profile | {"customer_id": None})),
    ("bad_date", lambda profile: json.dumps(profile | {"signup_date": "31.12.2023"})),
    ("not_an_object", lambda profile: json.dumps(list(profile.values()))),
)
"""What a line becomes, by the code of the reason."""
