"""Late profiles: the months in which a customer bought whose profile is another now than the month has."""

import hashlib
from collections.abc import Mapping

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.receipt import Receipt

FACT, PROFILES = "fact_online_sales", "dim_online_customers"
TAKEN = ["customer_id", "age_group", "membership_tier"]
"""What a month takes of the profiles."""

_CHANGED = """
SELECT count(*) FROM (SELECT DISTINCT customer_id, age_group, membership_tier FROM sold) AS s
LEFT JOIN profiles AS p ON s.customer_id = p.customer_id
WHERE s.age_group IS DISTINCT FROM p.age_group OR s.membership_tier IS DISTINCT FROM p.membership_tier
"""


def restated(
    catalogue: Catalogue, receipts: Mapping[str, Mapping[str, Receipt]], compared: Mapping[str, str]
) -> tuple[set[str], dict[str, str]]:
    """The months to make again, and what was compared, to be handed in the next time.

    A month that took the profiles as they are now, or that was compared with them and found to be of the
    same, is not read.

    Args:
        catalogue: what is published.
        receipts: of the two tables, whole ones.
        compared: by month, a digest of the rows and the profiles that were found to agree.
    """
    now = receipts[PROFILES].get(SNAPSHOT)
    if now is None:
        return set(), {}
    months: set[str] = set()
    agreed: dict[str, str] = {}
    profiles: pa.Table | None = None
    for month, receipt in receipts[FACT].items():
        if receipt.provenance.inputs.get(PROFILES, {}).get(SNAPSHOT) == now.figures.digest:
            continue
        digests = hashlib.sha256(f"{receipt.figures.digest} {now.figures.digest}".encode()).hexdigest()[:16]
        if compared.get(month) != digests:
            profiles = _read(catalogue, now) if profiles is None else profiles
            if _differ(_read(catalogue, receipt), profiles):
                months.add(month)
                continue
        agreed[month] = digests
    return months, agreed


def _differ(sold: pa.Table, profiles: pa.Table) -> bool:
    with duckdb.connect() as database:
        database.register("sold", sold)
        database.register("profiles", profiles)
        found = database.execute(_CHANGED).fetchone()
    return bool(found and found[0])


def _read(catalogue: Catalogue, receipt: Receipt) -> pa.Table:
    entry = catalogue.store.entry(receipt.key)
    if entry is None:
        return pa.table({name: pa.array([], pa.string()) for name in TAKEN})  # gone since: the plan asks for it
    with catalogue.store.open(entry) as file, pq.ParquetFile(file) as parquet:
        return parquet.read(columns=TAKEN)
