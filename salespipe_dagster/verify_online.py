"""The online channel held against the books of the shop that dropped its files.

Its books are sums of its own integers: no parser, ledger or engine has a part in them.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from salespipe_dagster.landing.ledger import Landed, file_of, read_landed
from salespipe_dagster.landing.version import digest_of
from salespipe_dagster.synthetic.business import LAST_MONTH
from salespipe_dagster.synthetic.online.books import OnlineLedger, Tally, online_ledger
from salespipe_dagster.synthetic.online.dropped import OnlineFile
from salespipe_dagster.synthetic.online.profiles import profile_files
from salespipe_dagster.synthetic.online.sales_files import sales_files
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.lake import Lake
from salespipe_spark.marts.monthly_revenue import ONLINE
from salespipe_spark.months import following, month_of
from salespipe_spark.tables import tables

_MARKETS = ("region", "product")
_SEGMENTS = ("age_group", "membership_tier")
_MEASURES = ("transaction_count", "units", "total_revenue")

Tallies = Mapping[Any, tuple[int, int, Decimal]]


def off_the_shops_books(lake: Lake, shop: Shop, today: date, months: list[str]) -> list[str]:
    """Where the published months are not what the shop itself has booked, as sentences.

    Of the months whose rows are from the shop's own files and from all of them: what others drop there is in no
    book of the shop. Segments are looked at where the same holds of the profiles.
    """
    sales, profiles = (read_landed(lake.store, tables()[name]) for name in ("online_sales", "online_customers"))
    own = [month for month in months if _is_own(sales, month, _files_of(shop, month, today))]
    if not own:
        return []
    booked = {month: online_ledger(shop, month, today) for month in own}
    markets = _published(lake, "online_sales_summary", own, _MARKETS)
    found = [
        line for month in own for line in _unlike(month, markets.get(month, {}), booked[month].by_region_and_product)
    ]
    if _is_own(profiles, SNAPSHOT, profile_files(shop, today)):
        segments = _published(lake, "online_revenue_by_segment", own, _SEGMENTS)
        found += [line for month in own for line in _unlike(month, segments.get(month, {}), booked[month].by_segment)]
    return found + _unlike_totals(lake, booked)


def _files_of(shop: Shop, month: str, today: date) -> list[OnlineFile]:
    """The shop's files with sales of the month: its own ones, and the correction of the month after."""
    written_in = [each for each in (month, following(month)) if each <= LAST_MONTH]
    return [file for each in written_in for file in sales_files(shop, each, today) if month in file.months]


def _is_own(landed: Landed, part: str, files: Iterable[OnlineFile]) -> bool:
    own = {digest_of(file.key) for file in files}
    everything = {file_of(version) for version in landed.ledger.current}
    return own <= everything and {file_of(version) for version in landed.versions([part])} <= own


def _published(lake: Lake, name: str, months: list[str], key: tuple[str, str]) -> dict[str, dict[Any, Any]]:
    rows = lake.read(tables()[name], months).select("month_start", *key, *_MEASURES).collect()
    found: dict[str, dict[Any, Any]] = {}
    for row in rows:
        tally = tuple(row[measure] for measure in _MEASURES)
        found.setdefault(month_of(row["month_start"]), {})[tuple(row[column] for column in key)] = tally
    return found


def _unlike(month: str, published: Tallies, booked: Mapping[Any, Tally]) -> list[str]:
    """Where they differ; one of them may have what the other has not."""
    return [
        f"{month}: of {' and '.join(str(part) for part in key)} online {_shown(published.get(key))}, "
        f"but in the shop's own books {_shown(booked.get(key))}"
        for key in {**published, **booked}
        if published.get(key) != booked.get(key)
    ]


def _unlike_totals(lake: Lake, booked: Mapping[str, OnlineLedger]) -> list[str]:
    """Where monthly_revenue differs, whose customers are counted and not summed."""
    measures = ("orders", "units", "revenue", "customers")
    rows = lake.read(tables()["monthly_revenue"], list(booked)).where(f"channel = '{ONLINE}'").collect()
    published = {month_of(row["month_start"]): tuple(row[measure] for measure in measures) for row in rows}
    found: list[str] = []
    for month, ledger in booked.items():
        expected = (*ledger.total, ledger.customers)
        given = published.get(month, (0, 0, Decimal(0), 0))
        for what, a, b in zip(measures, given, expected, strict=True):
            if a != b:
                found.append(f"{month}: online {what} {a}, but in the shop's own books {b}")
    return found


def _shown(tally: tuple[int, int, Decimal] | None) -> str:
    sales, units, amount = tally or (0, 0, Decimal("0.00"))
    return f"{sales} sales, {units} units, {amount}"
