"""The values of records of CSV: a column of text for each name, and the records that are no row of such a table.

Arrow's reader cuts them, a chunk at a time. It is lenient, and takes `a"b` and `"a"b` for values: a record in which
a quote does not stand at an end of its value is cut here by itself.
"""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.records import VALUE, Records, Spoiled, blanked, holding, is_record

BLANKS = " \t"
"""What is not part of a value where it stands around it."""

_VALUE = re.compile(VALUE)
_BOM = b"\xef\xbb\xbf"
_BEFORE_OPENING = np.isin(np.arange(256), list(b',\n"'))
_AFTER_CLOSING = np.isin(np.arange(256), list(b',\r\n"'))
_QUOTE, _RETURN, _NEWLINE = ord('"'), ord("\r"), ord("\n")


def cut(found: Records, names: list[str]) -> tuple[pa.Table, list[Spoiled]]:
    """The rows of records that have a value for each of these names, and the records that have not.

    A row is the `line`, the `text`, and of each name `t_<name>`; columns without a name are left out.
    """
    untidy = _untidy(found)
    tidy = np.delete(np.arange(len(found.lines)), untidy)
    table, ragged = _read(blanked(found.data, found.begin, untidy), names)
    if table.num_rows + len(ragged) != len(tidy):
        raise AssertionError("The reader found other records than there are.")
    spoiled = [_spoiled(found, i, Reason.RAGGED_LINE) for i in tidy[ragged].tolist()]
    rows, apart = np.delete(tidy, ragged), dict[int, list[str]]()
    for i in untidy:
        values = _values(found.texts[i].as_py().encode())
        if values is None or len(values) != len(names):
            spoiled.append(_spoiled(found, i, Reason.STRAY_QUOTE if values is None else Reason.RAGGED_LINE))
        else:
            apart[i] = [value for value, name in zip(values, names, strict=True) if name]
    if apart:
        columns = [pa.array(values, pa.string()) for values in zip(*apart.values(), strict=True)]
        rows = np.concatenate([rows, np.fromiter(apart, np.int64)])
        order = np.argsort(rows)
        table = pa.concat_tables([table, pa.table(columns, names=table.column_names)]).take(pa.array(order))
        rows = rows[order]
    whole = len(rows) == len(found.lines)
    lines, texts = (found.lines, found.texts) if whole else (found.lines[rows], found.texts.take(pa.array(rows)))
    values = {name: trimmed(table[name]) for name in table.column_names}
    return pa.table({"line": lines, "text": texts, **values}), spoiled


def trimmed(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The column's texts without the blanks around them."""
    return pc.call_function("ascii_trim", [column], pc.TrimOptions(BLANKS))


def _untidy(found: Records) -> list[int]:
    """The records that Arrow's reader would cut otherwise: for their quotes, or a carriage return within."""
    doubtful = [np.zeros(0, np.int64)]
    data = np.frombuffer(found.data, np.uint8)
    if b'"' in found.data:
        quotes = np.flatnonzero(data == _QUOTE)
        opening, closing = quotes[::2], quotes[1::2]  # a record has an even number of them
        doubtful += [opening[~_BEFORE_OPENING[data[opening - 1]]], closing[~_AFTER_CLOSING[data[closing + 1]]]]
    if b"\r" in found.data:
        returns = np.flatnonzero(data == _RETURN)
        doubtful.append(returns[data[returns + 1] != _NEWLINE])
    if found.data.startswith(_BOM):  # which would be taken for a mark of the file's, not for a value's
        doubtful.append(np.zeros(1, np.int64))
    return holding(found.begin, np.concatenate(doubtful))


def _read(data: bytes | bytearray, names: list[str]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """What Arrow reads in columns called t_<name>, and which records have more values than names, or fewer."""
    ragged: list[int] = []

    def skip(row: pv.InvalidRow) -> str:
        ragged.append(row.number - 1)
        return "skip"

    columns = {f"t_{name}": pa.string() for name in names if name}
    if not data:
        return pa.schema(columns).empty_table(), np.array(ragged, np.int64)
    places = [f"t_{name}" if name else f"unknown {place}" for place, name in enumerate(names)]
    table = pv.read_csv(
        pa.py_buffer(data),
        pv.ReadOptions(column_names=places, use_threads=False, block_size=len(data) + 1),
        pv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        pv.ConvertOptions(column_types=columns, include_columns=list(columns), check_utf8=False),
    )
    return table, np.array(ragged, np.int64)


def _values(record: bytes) -> list[str] | None:
    """The values of a record by the rules of CSV, blanks around quotes allowed; None where a quote is stray."""
    if not is_record(record):
        return None
    values: list[str] = []
    at = 0
    while at <= len(record) and (value := _VALUE.match(record, at)):
        values.append(_unquoted(value[0].decode()))
        at = value.end() + 1
    return values


def _unquoted(text: str) -> str:
    bare = text.strip(BLANKS)
    return bare[1:-1].replace('""', '"') if bare.startswith('"') else text


def _spoiled(found: Records, record: int, reason: Reason) -> Spoiled:
    return Spoiled(int(found.lines[record]), reason, found.texts[record].as_py())
