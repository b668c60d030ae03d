"""How the synthetic company moves forward: `salespipe company advance`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest

import sqlalchemy as sa

from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources import source_marker
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_write import is_empty, replace
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.business import FIRST_MONTH
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.configured import company_of, dropped_by, shop_of
from salespipe_dagster.synthetic.online.drops import FOLDERS, drop, online_files
from salespipe_dagster.synthetic.orders import SETTLED_AFTER
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table, sources


@dataclass
class Advanced:
    """How far the company has moved.

    Attributes:
        before: the company as it was.
        after: the company as it is.
        changed: the months that changed, by table.
        files: those that it has dropped.
        sold: the months of the sales in these.
    """

    before: Company
    after: Company
    changed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    files: list[str] = field(default_factory=list[str])
    sold: set[str] = field(default_factory=set[str])

    @property
    def months(self) -> list[str]:
        """All months that changed, in order; those of the sales in the files too."""
        return sorted(self.sold.union(*self.changed.values()))


def ahead_of_the_company(settings: Settings) -> str:
    """Which configured months the company has not come to, as a sentence; nothing where there are none."""
    try:
        there = SourceDatabase(settings.source).made_by()
    except SalespipeError:  # a hint, no check: who needs the source has been told
        return ""
    ahead = [month for month in settings.months if there and months.first_day(month) > there.today]
    if there is None or not ahead:
        return ""
    days = (company_of(settings).today - there.today).days
    next_step = f"`{settings.typed}salespipe company advance --days {days}` moves it to their end"
    return f"{months.describe(ahead)} is empty: the company's day is {there.today}; {next_step}"


def advance(
    source: SourceDatabase,
    settings: Settings,
    days: int,
    on_part: Callable[[str, int], None] = lambda part, parts: None,
) -> Advanced:
    """Move the company forward, and write what changes thereby: all of it, or nothing; then it drops its files.

    It is written of the configured months and of all others that the source holds: there is one day for all.

    Args:
        source: the company's database.
        settings: which company it is, and the months that it is to be made for.
        days: how many, at least one.
        on_part: is told of each slice that is looked at, and of how many there are.

    Raises:
        SalespipeError: there is no company yet or another one, or it does no business so late.
    """
    with source.advancing(company_of(settings)) as (connection, before):
        moved = Advanced(before, before.after(days))
        monthly = [table for table in sources() if table.monthly]
        alive = [(table, month) for table in monthly for month in _alive(table, moved)]
        kept = {month for _, month in alive if month in settings.months or _holds(connection, month, monthly)}
        looked_at = [(table, month) for table, month in alive if month in kept]
        for table, month in looked_at:
            on_part(f"{table.name} {month}", len(looked_at))
            if _changes(connection, table, month, moved):
                replace(connection, slice_of(table, month), moved.after.batches(table.name, month))
                moved.changed.setdefault(table.name, []).append(month)
        source_marker.write(connection, moved.after)
    if settings.drops_files:
        _drop(settings, moved)
    return moved


def _drop(settings: Settings, moved: Advanced) -> None:
    """Drop the files of the new days; what is lost in between, the next run of their months makes good.

    Of the configured months alone: rows of others would be put aside.
    """
    shop, before, after = shop_of(settings), dropped_by(settings, moved.before), dropped_by(settings, moved.after)
    span = months.between(max(settings.first_month, months.month_of(before)), months.month_of(after))
    for folder in FOLDERS:
        there = {file.key for file in online_files(shop, folder, before, span)}
        new = [file for file in online_files(shop, folder, after, span) if file.key not in there]
        dropped = drop(settings.files, new)
        moved.files += dropped.written
        moved.sold |= dropped.months


def _holds(connection: sa.Connection, month: str, monthly: list[Table]) -> bool:
    return not all(is_empty(connection, slice_of(table, month)) for table in monthly)


def _alive(table: Table, moved: Advanced) -> list[str]:
    """The months in which the days could change anything; of orders also those that may still be settled."""
    back = SETTLED_AFTER if table.name == "orders" else 0
    first = months.month_of(moved.before.today + timedelta(days=1) - timedelta(days=back))
    last = months.month_of(moved.after.today)
    return months.between(max(first, FIRST_MONTH), last)


def _changes(connection: sa.Connection, table: Table, month: str, moved: Advanced) -> bool:
    """Whether the month's rows are others than before; a month that no run has made yet is left to that run."""
    before, after = (company.batches(table.name, month) for company in (moved.before, moved.after))
    same = all(a is not None and b is not None and a.equals(b) for a, b in zip_longest(before, after))
    if same:
        return False
    had_rows = any(batch.num_rows for batch in moved.before.batches(table.name, month))
    return not (had_rows and is_empty(connection, slice_of(table, month)))
