"""The sales files of a month: the exports, and in every third month a correction of what they say.

A shop with quirks repeats the last sales of the month so far at the beginning of an export, writes some lines
twice, and spoils a few: so few that no file is held for it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from salespipe_dagster.synthetic.online import styles
from salespipe_dagster.synthetic.online.dropped import Book, OnlineFile, Piece, Render, joined, text, woven
from salespipe_dagster.synthetic.online.sales import Sales, corrected, has_correction, runs, sales
from salespipe_dagster.synthetic.online.shop import Export, Shop, exports
from salespipe_dagster.synthetic.online.spoilt import spoilt
from salespipe_dagster.synthetic.online.styles import PLAIN, STYLES, Style
from salespipe_spark import months

FOLDER = "sales"

_OVERLAP = 3
"""How many of the sales before it an export repeats."""
_TWICE, _SPOILT = 120, 150
"""One of so many lines."""
_SOUND = 40
"""A file of fewer sales is clean: one that is spoilt, which may become two lines, is below a twentieth of it."""


def sales_files(shop: Shop, month: str, today: date) -> list[OnlineFile]:
    """The month's sales files that are there by today, in the order in which they were written."""
    found = exports(shop, month, today)
    files = [_export(shop, export, _style(shop, month, turn)) for turn, export in enumerate(found)]
    if corrects(shop, month, today):
        files.append(_correction(shop, month, found[-1], _style(shop, month, len(found))))
    return files


def corrects(shop: Shop, month: str, today: date) -> bool:
    """Whether the month's correction is there by today."""
    return has_correction(shop, month) and today >= months.end_day(month) - timedelta(days=1)


def exported(shop: Shop, month: str, today: date) -> int:
    """How many of the month's sales are in the exports that are there by today."""
    return max((export.end for export in exports(shop, month, today)), default=0)


def _export(shop: Shop, export: Export, style: Style) -> OnlineFile:
    first = max(0, export.first - _OVERLAP) if shop.quirks else export.first
    dirty = shop.quirks and export.end - first >= _SOUND

    def pieces() -> Iterator[Piece]:
        yield text(_head(style))
        for places in runs(first, export.end):
            yield piece(shop, export.month, style, sales(shop, export.month, places), dirty=dirty)

    turn = f"-{export.turn + 1:04d}" if export.turns > 1 else ""
    return OnlineFile(_key(export, turn, style), export.written, pieces, style.packed, (export.month,))


def _correction(shop: Shop, month: str, last: Export, style: Style) -> OnlineFile:
    def pieces() -> Iterator[Piece]:
        yield text(_head(style))
        for places in runs(0, last.end):
            right, chosen = corrected(shop, month, sales(shop, month, places))
            found = right.take(chosen)
            yield Piece(Book(landed=len(found.place)), _rendered(shop, month, style, found))

    written = last.written + timedelta(hours=1)
    touched = (months.shifted(month, -1), month) if month > shop.first_month else (month,)
    return OnlineFile(_key(last, "-corrected", style), written, pieces, style.packed, touched)


def _rendered(shop: Shop, month: str, style: Style, found: Sales) -> Render:
    return lambda: joined(styles.lines(style, styles.fields(shop, month, style, found)))


def piece(shop: Shop, month: str, style: Style, found: Sales, *, dirty: bool) -> Piece:
    """These sales as they are exported, in a dirty file with lines that come twice, and spoilt ones between them."""
    if not dirty:
        return Piece(Book(landed=len(found.place)), _rendered(shop, month, style, found))
    twice = found.place % _TWICE == _TWICE // 2
    after = np.flatnonzero(found.place % _SPOILT == _SPOILT // 2)
    bad = _spoilt(shop, month, style, found.take(after))
    own = [line for _, made in bad for line in made]
    reasons = Counter(reason for reason, made in bad for _ in made)

    def render() -> bytes:
        lines = styles.lines(style, styles.fields(shop, month, style, found)).cast(pa.binary())
        places = np.repeat(after, [len(made) for _, made in bad])
        return joined(woven(lines, 1 + twice, own, places))

    return Piece(Book(len(found.place), int(twice.sum()), reasons), render)


def _spoilt(shop: Shop, month: str, style: Style, lost: Sales) -> list[tuple[str, list[bytes]]]:
    """Of each of these sales the reason and the lines that it is spoilt to; each reason has its turn."""
    columns = [column.to_pylist() for column in styles.fields(shop, month, style, lost, prefix="X")]
    turns = (months.index(month) + lost.place // _SPOILT).tolist()
    rows = zip(turns, zip(*columns, strict=True), strict=True)
    return [spoilt(turn, style, dict(zip(style.columns, values, strict=True))) for turn, values in rows]


def _style(shop: Shop, month: str, turn: int) -> Style:
    """Exporters take turns."""
    return STYLES[(months.index(month) + turn) % len(STYLES)] if shop.quirks else PLAIN


def _head(style: Style) -> str:
    return ("\ufeff" if style.mark else "") + style.header()


def _key(export: Export, what: str, style: Style) -> str:
    year, month = export.month.split("-")
    return f"{FOLDER}/{year}/{month}/sales-{export.day}{what}.csv" + (".gz" if style.packed else "")
