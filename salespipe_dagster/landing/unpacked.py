"""The bytes of a file, unpacked where they are packed: by what is in it, whatever it is called."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

CHUNK = 8 << 20
_BOM = b"\xef\xbb\xbf"
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_UTF_16 = "is written in UTF-16; write it in UTF-8"
_FOREIGN = {
    b"PK\x03\x04": "is a zip archive or a workbook; unpack it, or save it as CSV",
    b"BZh": "is packed by bzip2; pack it by gzip or zstd, or not at all",
    b"\xfd7zXZ": "is packed by xz; pack it by gzip or zstd, or not at all",
    b"PAR1": "is a Parquet file; only CSV and NDJSON are read",
    b"%PDF": "is a PDF; only CSV and NDJSON are read",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}


class Unreadable(Exception):
    """The file cannot be read as a whole; the text says why, and goes on after the file's name."""


def chunks(file: Path) -> Iterator[bytes]:
    r"""The file's bytes in chunks, unpacked, without a byte order mark, lines ending in \n or \r\n.

    Raises:
        Unreadable: it is of a kind that is not read, or it is packed and truncated or damaged.
    """
    found = _raw(file)
    first = next(found, b"")
    if b"\0" in first[:2]:
        raise Unreadable(_UTF_16)
    # Lines that end in a carriage return alone are those of an old Macintosh, and of some exporters still.
    alone = b"\r" in first and b"\n" not in first
    yield _ended(first.removeprefix(_BOM), alone=alone)
    for chunk in found:
        yield _ended(chunk, alone=alone)


def _ended(chunk: bytes, *, alone: bool) -> bytes:
    return chunk.replace(b"\r", b"\n") if alone else chunk


def _raw(file: Path) -> Iterator[bytes]:
    with pa.OSFile(str(file)) as stream:
        start = stream.read(8)
        stream.seek(0)
        for magic, reason in _FOREIGN.items():
            if start.startswith(magic):
                raise Unreadable(reason)
        packed = next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)
        if packed is None:
            while chunk := stream.read(CHUNK):
                yield chunk
            return
        try:
            with pa.CompressedInputStream(stream, packed) as unpacked:
                while chunk := unpacked.read(CHUNK):
                    yield chunk
        except OSError as error:
            raise Unreadable(f"is packed, and truncated or damaged ({error}); send it again") from error
