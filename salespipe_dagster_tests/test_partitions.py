"""The monthly partitions: Dagster knows exactly the configured months."""

from datetime import UTC, datetime, tzinfo

import pytest

from salespipe_dagster import settings as module
from salespipe_dagster.partitions import monthly_partitions, range_tags
from salespipe_dagster.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_set(environment: pytest.MonkeyPatch) -> None:
    """Only what a test says is configured."""


def external(start: str, end: str | None = None) -> Settings:
    return Settings.checked(source_url="mysql+pymysql://shop@db.example/shop", start_month=start, end_month=end)


def test_months_are_the_configured_ones_both_inclusive() -> None:
    """Dagster's own end is exclusive: the last month would be missing."""
    assert monthly_partitions(external("2023-11", "2024-02")).get_partition_keys() == [
        "2023-11",
        "2023-12",
        "2024-01",
        "2024-02",
    ]


def test_december_is_a_last_month() -> None:
    assert monthly_partitions(external("2024-12", "2024-12")).get_partition_keys() == ["2024-12"]


@pytest.mark.parametrize("month", [2, 3])
def test_current_and_coming_months_exist_where_they_are_configured(month: int) -> None:
    """`run` and the schedule ask for the settings' months; Dagster has a month only when it is over."""
    settings = external("2099-01", "2099-04")
    keys = monthly_partitions(settings).get_partition_keys(current_time=datetime(2099, month, 15, tzinfo=UTC))
    assert keys == settings.months == ["2099-01", "2099-02", "2099-03", "2099-04"]


def test_synthetic_company_has_its_24_months() -> None:
    keys = monthly_partitions(Settings.checked()).get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2024-01", "2025-12", 24)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2024, 3, 1, 0, 0, 0, tzinfo=UTC), "2024-03"),
        (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), "2024-02"),
        (datetime(2024, 1, 15, tzinfo=UTC), "2024-01"),
    ],
)
def test_open_range_ends_with_the_current_month(now: datetime, last: str) -> None:
    """Without an offset Dagster has a month only when it is over."""
    keys = monthly_partitions(external("2024-01")).get_partition_keys(current_time=now)
    assert keys[0] == "2024-01"
    assert keys[-1] == last


def test_open_range_is_the_settings_months(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings say what a run of all months owns, the partitions what Dagster accepts."""
    now = datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return now.astimezone(tz)

    monkeypatch.setattr(module, "datetime", Clock)
    settings = external("2024-01")
    assert monthly_partitions(settings).get_partition_keys(current_time=now) == settings.months


def test_range_is_named_by_its_first_and_last_month() -> None:
    assert range_tags(["2024-02", "2024-03", "2024-04"]) == {
        "dagster/asset_partition_range_start": "2024-02",
        "dagster/asset_partition_range_end": "2024-04",
    }
    assert set(range_tags(["2024-02"]).values()) == {"2024-02"}
