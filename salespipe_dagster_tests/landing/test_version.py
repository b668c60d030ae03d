"""Names of versions."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_dagster.landing.version import Version

AT = datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def version(key: str = "sales/a.csv", etag: str = '"abc-1"', modified: datetime = AT) -> Version:
    return Version("online_sales", key, etag, 10, modified)


def test_a_name_says_which_key_when_and_which_content() -> None:
    assert version().id == "1373cca8eeea5564-00062cff48373240-abc-1"


@pytest.mark.parametrize("etag", ['"a/../b"', "a.b", "", "x" * 500, "dé", 'W/"a b"', "\udcff"])
def test_any_etag_makes_a_name_that_is_safe_in_a_path(etag: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{16}-[0-9a-f]{16}-[A-Za-z0-9-]{1,64}", version(etag=etag).id)


def test_a_key_of_any_bytes_has_a_name() -> None:
    assert version("sales/\udcff.csv").id != version("sales/\udcfe.csv").id


def test_names_differ_by_key_instant_and_content() -> None:
    others = [version("sales/b.csv"), version(etag="abc-2"), version(modified=AT + timedelta(microseconds=1))]
    assert len({other.id for other in [version(), *others]}) == 4


def test_names_of_one_key_sort_by_the_instant_also_before_1970() -> None:
    instants = [
        datetime(1960, 1, 1, tzinfo=UTC),
        AT,
        AT + timedelta(microseconds=1),
        datetime(2286, 11, 21, tzinfo=UTC),
    ]
    names = [version(modified=at).id for at in instants]
    assert names == sorted(names)


def test_a_record_that_is_nowhere_is_an_error() -> None:
    """Input = landed + quarantined + duplicates holds of every file, or nothing of it is believed."""
    with pytest.raises(AssertionError, match="3 records, but 1 landed"):
        Parsed(
            version(), Status.LANDED, records=3, landed=1, quarantined=1, reasons={"bad_date": 1}, rows={"2024-01": 1}
        )


def test_a_landed_row_that_is_in_no_part_is_an_error() -> None:
    with pytest.raises(AssertionError, match="2 rows landed"):
        Parsed(version(), Status.LANDED, records=2, landed=2, rows={"2024-01": 1})
