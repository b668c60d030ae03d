"""Amounts, shares, months and names as a reader of a chart sees them; amounts from Decimal, never from float."""

import html
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not from the locale: a chart is the same on every machine."""

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def exact(amount: Decimal) -> str:
    """To the cent: 1,234,567.80."""
    return f"{_rounded(amount, '0.01'):,}".replace("-", MINUS)


def short(amount: Decimal) -> str:
    """To three digits: 1.23M, 45.6k; an amount under a thousand is exact."""
    if abs(amount) < 1000:
        return exact(amount).removesuffix(".00")
    return _scaled(amount, digits=3)


def edge(amount: Decimal) -> str:
    """For an axis, of round amounts, exact: 10k, 12.5k, 1.125k, 1M."""
    text = short(amount) if abs(amount) < 1000 else _scaled(amount, max(3, len(amount.normalize().as_tuple().digits)))
    return re.sub(r"\.?0+(?=[kMBT]$)", "", text) if "." in text else text


def tight(amount: Decimal) -> str:
    """For a cell of a table: 1.2M, 12M, 118k, 46k, 27, 0.01."""
    return _scaled(amount, digits=max(2, amount.adjusted() % 3 + 1)) if amount else "0"


def share(part: Decimal, whole: Decimal) -> str:
    """The part in percent; 0% and 100% only where that is exact."""
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1%"
    if 99 < percent < 100:
        return "over 99%"
    return f"{_rounded(percent)}%"


def change(now: Decimal, before: Decimal | None) -> str:
    """By how much it is more or less than before, in percent; a dash where that is not known or says nothing."""
    if now == before:
        return "unchanged"
    if before is None or before <= 0 or now < 0:
        return DASH
    sign, percent = "+" if now > before else MINUS, 100 * abs(now - before) / before
    if _rounded(percent) >= 1000:
        return f"{short(_rounded(now / before))} times"
    if percent >= 10:
        return f"{sign}{_rounded(percent)}%"
    return f"{sign}{_rounded(percent, '0.1') or 'under 0.1'}%"


def month_name(month: str) -> str:
    """2024-05 as May 2024."""
    return f"{MONTHS[int(month[5:]) - 1]} {month[:4]}"


def day_name(day: date) -> str:
    """The day as 31 Dec 2025."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year:04d}"


def period(months: Sequence[str]) -> str:
    """From the first month to the last."""
    first, last = month_name(months[0]), month_name(months[-1])
    return first if first == last else f"{first} to {last}"


def during(months: Sequence[str]) -> str:
    """The period within a sentence."""
    return f"{'in' if len(months) == 1 else 'from'} {period(months)}"


def count(number: int, one: str, many: str = "") -> str:
    """1 month, 2 months, 1,200 months."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def enumeration(names: Sequence[str], many: str) -> str:
    """A, B and C; where that grows too long, their number."""
    if len(names) == 1:
        return clipped(names[0], 40)
    text = f"{', '.join(names[:-1])} and {names[-1]}"
    return text if len(names) <= 3 and len(text) <= 60 else f"{len(names)} {many}"


def clipped(text: str, length: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def width(text: str, size: int) -> float:
    """About how many pixels the text takes at a font size, rather too many than too few."""
    return sum(_width(character) for character in text) * size


def fitted(text: str, pixels: float, size: int) -> str:
    """The text, cut where it takes more room."""
    if width(text, size) <= pixels:
        return text
    length = next(n for n in range(len(text), -1, -1) if width(text[:n], size) <= pixels - size)
    return text[:length].rstrip() + "…"


def literal(text: str) -> str:
    """The text as plotly shows it letter for letter: it takes `<b>` and `%{x}` for commands."""
    return html.escape(text, quote=False).replace("%{", "&#37;{")


def _rounded(value: Decimal, step: str = "1") -> Decimal:
    """Half up, as the report does."""
    return value.quantize(Decimal(step), context=Context(prec=60, rounding=ROUND_HALF_UP))


def _width(character: str) -> float:
    """A character's width as a share of the font's size."""
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in " .,;:'|!()[]iljtfrI1-":
        return 0.4
    return 0.95 if character in "mwMW@%&" else 0.72 if character.isupper() else 0.57


def _scaled(amount: Decimal, digits: int) -> str:
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).plus(amount)  # first: 999,999 is 1.00M, not 1000k
    thousands = max(0, min(rounded.adjusted() // 3, 4))
    return f"{rounded.scaleb(-3 * thousands):f}{['', 'k', 'M', 'B', 'T'][thousands]}".replace("-", MINUS)
