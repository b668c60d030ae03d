"""Records of a file with the numbers of their lines: what is one record is decided here, and nowhere else.

By arrays, a chunk at a time: only a record whose quoted values span lines, or one that is spoiled, is ever
looked at by itself. A parser that frames records by itself counts records where lines are asked for, lets an
unclosed quote swallow the rest of the file, and takes a line with a comma too many for a good one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from salespipe_dagster.landing.reasons import Reason

LONGEST = 1 << 20
"""The longest record, in bytes: without an end, a file without line ends would be read into memory whole."""

SHOWN = 1 << 14
"""So many bytes of a spoiled record are kept."""

VALUE = rb'(?:[ \t]*+"[^"]*+(?:""[^"]*+)*+"[ \t]*+|[^",]*+)'
"""A value of a record of CSV as it is written, as a pattern."""

_RECORD = re.compile(rb"%b(?:,%b)*+" % (VALUE, VALUE))
_UNCLOSED = re.compile(rb'(?:%b,)*+[ \t]*+"[^"]*+(?:""[^"]*+)*+' % VALUE)
_NEWLINE, _QUOTE = 10, 34

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Spoiled:
    """A record that is put aside before its values are looked at."""

    line: int
    reason: Reason
    text: str
    column: str | None = None


@dataclass(frozen=True)
class Records:
    """Some records of a file, in order.

    Attributes:
        lines: the number of each one's first line, from 1.
        texts: each as it is written, without the line's end.
        data: all of them with their line ends, and nothing but line ends between them.
        begin: where in the data each one begins.
        spoiled: those that were put aside; they are not among the others.
    """

    lines: Positions
    texts: pa.Array
    data: bytes | bytearray
    begin: Positions
    spoiled: list[Spoiled]

    def after_first(self) -> "Records":
        """All but the first."""
        start = self.begin[1] if len(self.begin) > 1 else len(self.data)
        return Records(self.lines[1:], self.texts[1:], self.data[start:], self.begin[1:] - start, self.spoiled)


def records(chunks: Iterable[bytes], *, quotes: bool) -> Iterator[Records]:
    """The records of a file: its lines, and where quotes count, what is one record by the rules of CSV."""
    line, rest, too_long = 1, b"", False
    for chunk, last in _with_last(chunks):
        data = rest + chunk
        if too_long:  # here is the rest of a line that was put aside
            _, end, data = data.partition(b"\n")
            line, too_long = (line + 1, False) if end else (line, True)
        if last and data and not data.endswith(b"\n"):
            data += b"\n"
        if whole := data.rfind(b"\n") + 1:
            frame = _Frame(data[:whole], line, quotes=quotes, last=last)
            yield frame.records()
            line += frame.lines_used
            rest = data[frame.used :]
        elif len(data) > LONGEST:
            spoiled = Spoiled(line, Reason.LINE_TOO_LONG, shown(data))
            none = np.zeros(0, np.int64)
            yield Records(none, _strings(b"", none), b"", none, [spoiled])
            rest, too_long = b"", True
        else:
            rest = data


def shown(text: bytes) -> str:
    """What is kept of a spoiled record: its beginning, bytes that are no UTF-8 as escapes."""
    return text[:SHOWN].rstrip(b"\r\n").decode(errors="backslashreplace")


def _with_last(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each chunk with whether it is the last."""
    before: bytes | None = None
    for chunk in chunks:
        if before is not None:
            yield before, False
        before = chunk
    if before is not None:
        yield before, True


class _Frame:
    """Whole lines of a file, cut into records."""

    def __init__(self, data: bytes, first_line: int, *, quotes: bool, last: bool) -> None:
        self.spoiled_lines: dict[int, Reason] = {}
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE)
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
        self.used, self.lines_used = len(data), len(ends)
        begins = np.ones(len(ends), np.bool_)
        if quotes and b'"' in data:
            self._join_lines(data, starts, ends, begins, last=last)
        self.data = data[: self.used]
        lengths = ends - starts
        returns = np.frombuffer(data, np.uint8)[starts] == ord("\r")
        begins &= (lengths > 1) | ((lengths == 1) & ~returns)  # an empty line is no record
        numbers = np.flatnonzero(begins[: self.lines_used])
        self.lines = numbers + first_line
        self.begin = starts[numbers]
        self.end = np.append(self.begin[1:], self.used)[: len(self.begin)]
        self.spoiled = {int(np.searchsorted(numbers, at)): reason for at, reason in self.spoiled_lines.items()}

    def records(self) -> Records:
        """The records that are not spoiled, and what is known of the spoiled ones."""
        self._find_spoiled()
        told = [
            Spoiled(int(self.lines[i]), reason, shown(self.data[self.begin[i] : self.end[i]]))
            for i, reason in sorted(self.spoiled.items())
        ]
        data = blanked(self.data, self.begin, list(self.spoiled))
        whole = np.ones(len(self.begin), np.bool_)
        whole[list(self.spoiled)] = False
        begin = self.begin[whole]
        return Records(self.lines[whole], _strings(data, begin), data, begin, told)

    def _join_lines(
        self, data: bytes, starts: Positions, ends: Positions, begins: npt.NDArray[np.bool_], *, last: bool
    ) -> None:
        """Find the lines that go on with the record of the line before: those of a quoted value over lines.

        A line with an odd number of quotes opens such a value, and the next such line closes it. Where what
        lies between is no record, the opening line alone is spoiled and the others are judged by themselves:
        an unclosed quote costs one line, not the rest of the file.
        """
        quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)
        counts = np.diff(np.searchsorted(quotes, ends), prepend=0)
        opening: int | None = None
        for line in np.flatnonzero(counts & 1).tolist():
            if opening is None:
                opening = line
            elif _closes(data, int(starts[opening]), int(ends[line])):
                begins[opening + 1 : line + 1] = False
                opening = None
            else:
                self._spoil_opening(opening, data[starts[opening] : ends[opening]])
                opening = line
        if opening is None:
            return
        if last or len(data) - starts[opening] > LONGEST:
            self._spoil_opening(opening, data[starts[opening] : ends[opening]])
        else:  # it may close in the next chunk
            self.used, self.lines_used = int(starts[opening]), opening

    def _spoil_opening(self, line: int, text: bytes) -> None:
        self.spoiled_lines[line] = Reason.UNCLOSED_QUOTE if _UNCLOSED.fullmatch(text) else Reason.STRAY_QUOTE

    def _find_spoiled(self) -> None:
        """Find the records that are too long, hold control characters, or are not UTF-8."""
        too_long = np.flatnonzero(self.end - self.begin > LONGEST)
        self.spoiled |= {int(i): Reason.LINE_TOO_LONG for i in too_long}
        data = np.frombuffer(self.data, np.uint8)
        if np.count_nonzero(data < ord(" ")) > self.lines_used:
            found = (data < ord(" ")) & (data != _NEWLINE) & (data != ord("\r")) & (data != ord("\t"))
            controls = holding(self.begin, np.flatnonzero(found))
            self.spoiled = dict.fromkeys(controls, Reason.CONTROL_CHARACTER) | self.spoiled
        if not self.data.isascii():
            try:
                _untrimmed(self.data, self.begin).validate(full=True)
            except pa.ArrowInvalid:
                high = holding(self.begin, np.flatnonzero(data > 127))
                undecodable = {i: Reason.BAD_ENCODING for i in high if not self._is_utf8(i)}
                self.spoiled = undecodable | self.spoiled

    def _is_utf8(self, record: int) -> bool:
        try:
            self.data[self.begin[record] : self.end[record]].decode()
        except UnicodeDecodeError:
            return False
        return True


def _closes(data: bytes, begin: int, end: int) -> bool:
    if end - begin > LONGEST:
        return False
    end -= data.endswith(b"\r", begin, end)  # of a line that ends in CRLF
    return is_record(data[begin:end])


def is_record(text: bytes) -> bool:
    """Whether every quote of a record stands where one may."""
    return _RECORD.fullmatch(text) is not None


def blanked(data: bytes | bytearray, begin: Positions, records: list[int]) -> bytes | bytearray:
    """The data without these of its records: line ends instead, which go with those of the record before."""
    if not records:
        return data
    blank, ends = bytearray(data), np.append(begin[1:], len(data))
    for i in records:
        blank[begin[i] : ends[i]] = b"\n" * int(ends[i] - begin[i])
    return blank


def holding(begin: Positions, places: Positions) -> list[int]:
    """The records, by where they begin, that hold the bytes at these places, in order."""
    return np.unique(np.searchsorted(begin, places, "right") - 1).tolist()


def _untrimmed(data: bytes | bytearray, begin: Positions) -> Any:
    offsets = np.append(begin, len(data)).astype(np.int32)
    return pa.Array.from_buffers(pa.string(), len(begin), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _strings(data: bytes | bytearray, begin: Positions) -> Any:
    """The texts that begin at these bytes, each up to the next one, without line ends."""
    return pc.call_function("ascii_rtrim", [_untrimmed(data, begin)], pc.TrimOptions("\r\n"))
