"""Months: strings YYYY-MM at the edges, half-open ranges of dates inside. The only date arithmetic."""

import re
from datetime import date

from salespipe_spark.errors import SalespipeError


def parse(text: str) -> str:
    """The month that the text names.

    Raises:
        SalespipeError: it is not of the form YYYY-MM.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text, re.ASCII) or not "0001" < text < "9999":
        raise SalespipeError(f"{text!r} is not a month.", "write it as YYYY-MM, for example 2024-05")
    return text


def first_day(month: str) -> date:
    """The month's first day."""
    return date.fromisoformat(f"{month}-01")


def following(month: str) -> str:
    """The month after."""
    return shifted(month, 1)


def shifted(month: str, by: int) -> str:
    """The month that lies so many months after it; before it, where that is negative."""
    return from_index(index(month) + by)


def end_day(month: str) -> date:
    """The first day after the month."""
    return first_day(following(month))


def month_of(day: date) -> str:
    """The month that a day lies in."""
    return f"{day.year:04d}-{day.month:02d}"  # %Y does not pad


def between(first: str, last: str) -> list[str]:
    """All months from first to last, both inclusive; none where last is before first."""
    return [from_index(i) for i in range(index(first), index(last) + 1)]


def blocks(months: list[str]) -> list[list[str]]:
    """The months in order, cut wherever one is missing: one block for each unbroken range."""
    found: list[list[str]] = []
    for month in sorted(set(months)):
        if found and month == following(found[-1][-1]):
            found[-1].append(month)
        else:
            found.append([month])
    return found


def describe(months: list[str]) -> str:
    """The months as a person writes them: 2024-01...2024-03, 2024-07."""
    return ", ".join(b[0] if len(b) == 1 else f"{b[0]}...{b[-1]}" for b in blocks(months))


def described(text: str) -> list[str]:
    """The months that `describe` wrote, or a person like it.

    Raises:
        SalespipeError: one of them is no month, or a range ends before it begins.
    """
    found: list[str] = []
    for block in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = block.partition("...")
        span = between(parse(first), parse(last or first))
        if not span:
            raise SalespipeError(f"{block} ends before it begins.", "write it as 2024-01...2024-03")
        found += span
    return found


def index(month: str) -> int:
    """The month's number, year x 12 + month - 1: engines and databases count with it faster than with text."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def from_index(number: int) -> str:
    """The month of a number."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"
