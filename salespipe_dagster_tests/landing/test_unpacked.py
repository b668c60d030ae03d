"""Packed files, told by what is in them."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from salespipe_dagster.landing import unpacked
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster_tests.landing.landed import HEADER, parsed, rows, sale

CONTENT = HEADER + b"".join(sale(i, region=f"R{i * 7919 % 1000}") for i in range(2000))
GZIP = gzip.compress(CONTENT, mtime=0)  # whose bytes name a test: they are the same in every worker
ZSTD: bytes = pa.compress(CONTENT, "zstd", asbytes=True)
HALVES = CONTENT[:5000], CONTENT[5000:]


@pytest.mark.parametrize(
    "packed",
    [
        CONTENT,
        GZIP,
        ZSTD,
        b"".join(gzip.compress(half) for half in HALVES),
        b"".join(pa.compress(half, "zstd", asbytes=True) for half in HALVES),
        gzip.compress(b"\xef\xbb\xbf" + CONTENT),
        gzip.compress(CONTENT.replace(b"\n", b"\r\n")),
    ],
    ids=["plain", "gzip", "zstd", "gzip of two members", "zstd of two frames", "with a mark", "with CRLF"],
)
def test_a_packed_file_is_read_whatever_it_is_called(tmp_path: Path, packed: bytes) -> None:
    found = parsed(tmp_path, packed)
    assert (found.status, found.landed) == (Status.LANDED, 2000)
    assert rows(found, "transaction_id", "region")[-1] == ("T999", "R81")


@pytest.mark.parametrize(
    "packed",
    [
        GZIP[:-1],
        GZIP[:-8],
        GZIP[: len(GZIP) // 2],
        GZIP[:5],
        ZSTD[:-1],
        ZSTD[: len(ZSTD) // 2],
        ZSTD[:5],
        GZIP[:-8] + bytes(4) + GZIP[-4:],
        GZIP + GZIP[:100],
        GZIP + b"garbage",
    ],
)
def test_a_truncated_or_damaged_file_fails_and_nothing_of_it_lands(
    tmp_path: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that takes the end of what is there for the end of the file loses the rest in silence."""
    monkeypatch.setattr(unpacked, "CHUNK", 1000)
    found = parsed(tmp_path, packed)
    assert (found.status, found.parts, found.records) == (Status.FAILED, {}, 0)
    assert "truncated or damaged" in found.reason
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("start", [b"BZh9", b"\xfd7zXZ\x00", b"PAR1", b"%PDF-1.4"])
def test_a_file_of_another_kind_is_named(tmp_path: Path, start: bytes) -> None:
    found = parsed(tmp_path, start + CONTENT)
    assert found.status is Status.FAILED
    assert "column" not in found.reason
