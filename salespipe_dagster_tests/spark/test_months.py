"""Months: what counts as one, where it ends, and how ranges are cut and written."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salespipe_spark import months
from salespipe_spark.errors import SalespipeError

MONTHS = st.dates(date(1, 1, 1), date(9998, 12, 31)).map(lambda day: f"{day.year:04d}-{day.month:02d}")
NEAR_MONTHS = st.dates(date(1999, 1, 1), date(2003, 12, 31)).map(lambda day: f"{day.year:04d}-{day.month:02d}")


@pytest.mark.parametrize("text", ["2024-01", "2024-12", "0001-01", "9998-12"])
def test_month_is_written_as_year_and_two_digits(text: str) -> None:
    assert months.parse(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "2024", "2024-1", "2024-00", "2024-13", "24-01", "2024/01", "202401", "2024-01-01", " 2024-01", "2024-01\n"],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(SalespipeError, match="is not a month"):
        months.parse(text)


def test_digits_of_other_scripts_are_refused() -> None:
    """A month becomes a folder's name: Arabic digits match \\d and would make a folder no reader finds."""
    with pytest.raises(SalespipeError, match="is not a month"):
        months.parse("\u0662\u0660\u0662\u0664-01")


def test_last_year_is_refused_because_the_month_after_it_is_no_date() -> None:
    with pytest.raises(SalespipeError, match="is not a month"):
        months.parse("9999-12")


def test_year_zero_is_refused_because_dates_begin_with_year_one() -> None:
    with pytest.raises(SalespipeError, match="is not a month"):
        months.parse("0000-05")


def test_refusal_says_what_to_write_instead() -> None:
    with pytest.raises(SalespipeError) as refused:
        months.parse("May 2024")
    assert refused.value.message == "'May 2024' is not a month."
    assert refused.value.hint == "write it as YYYY-MM, for example 2024-05"


@pytest.mark.parametrize(
    ("month", "first", "end"),
    [
        ("2024-01", date(2024, 1, 1), date(2024, 2, 1)),
        ("2024-02", date(2024, 2, 1), date(2024, 3, 1)),
        ("2023-12", date(2023, 12, 1), date(2024, 1, 1)),
    ],
)
def test_month_is_half_open(month: str, first: date, end: date) -> None:
    assert (months.first_day(month), months.end_day(month)) == (first, end)


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (date(2024, 1, 31), "2024-01"),
        (date(2024, 2, 1), "2024-02"),
        (date(2024, 2, 29), "2024-02"),
        (date(2023, 12, 31), "2023-12"),
    ],
)
def test_day_belongs_to_its_month(day: date, month: str) -> None:
    assert months.month_of(day) == month


@given(st.dates(max_value=date(9998, 12, 31)))
def test_month_of_any_day_is_a_month(day: date) -> None:
    """%Y does not pad a year below 1000 on Linux: a date mistyped as 0202-05-01 got the month 202-05."""
    assert months.parse(months.month_of(day)) == f"{day.year:04d}-{day.month:02d}"


@given(MONTHS)
def test_month_holds_exactly_the_days_from_its_first_to_before_its_end(month: str) -> None:
    first, end = months.first_day(month), months.end_day(month)
    assert first.day == end.day == 1
    assert 28 <= (end - first).days <= 31
    assert (end - timedelta(days=1)).month == first.month


@given(MONTHS)
def test_following_month_sorts_after_its_predecessor(month: str) -> None:
    """Months are compared and sorted as texts, receipts by their file's name."""
    assert month < months.following(month)


def test_following_month_of_december_is_january() -> None:
    assert months.following("2023-12") == "2024-01"


def test_range_includes_both_ends_and_crosses_the_year() -> None:
    assert months.between("2023-11", "2024-02") == ["2023-11", "2023-12", "2024-01", "2024-02"]


def test_range_of_one_month_is_that_month() -> None:
    assert months.between("2024-05", "2024-05") == ["2024-05"]


def test_range_that_ends_before_it_starts_is_empty() -> None:
    assert months.between("2024-02", "2024-01") == []


def test_blocks_are_cut_where_a_month_is_missing() -> None:
    assert months.blocks(["2024-03", "2023-12", "2024-01", "2024-03", "2024-07"]) == [
        ["2023-12", "2024-01"],
        ["2024-03"],
        ["2024-07"],
    ]


def test_no_months_make_no_blocks() -> None:
    assert months.blocks([]) == []


@given(st.lists(NEAR_MONTHS, max_size=40))
def test_blocks_lose_no_month_and_invent_none(given_months: list[str]) -> None:
    """The nightly plan asks for one run a block: a month lost here would never be refreshed."""
    assert [month for block in months.blocks(given_months) for month in block] == sorted(set(given_months))


@given(st.lists(NEAR_MONTHS, max_size=40))
def test_blocks_are_unbroken_and_as_few_as_can_be(given_months: list[str]) -> None:
    found = months.blocks(given_months)
    assert all(block == months.between(block[0], block[-1]) for block in found)
    assert all(months.following(a[-1]) < b[0] for a, b in pairwise(found))


@pytest.mark.parametrize(
    ("given_months", "text"),
    [
        ([], ""),
        (["2024-01"], "2024-01"),
        (["2024-01", "2024-02"], "2024-01...2024-02"),
        (["2024-07", "2024-03", "2024-02", "2024-01"], "2024-01...2024-03, 2024-07"),
    ],
)
def test_months_are_described_as_ranges(given_months: list[str], text: str) -> None:
    assert months.describe(given_months) == text


@pytest.mark.parametrize(
    ("month", "by", "other"),
    [("2024-01", -1, "2023-12"), ("2024-12", 1, "2025-01"), ("2024-02", -12, "2023-02"), ("2024-05", 0, "2024-05")],
)
def test_month_is_shifted_over_the_turn_of_the_year(month: str, by: int, other: str) -> None:
    assert months.shifted(month, by) == other
