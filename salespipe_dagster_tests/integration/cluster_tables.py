"""Every table that a job makes, by the code of the zip: `python … <zip> <lake> <months> <calendar> <folder>`.

Run by a Python that has pyspark and nothing else. Prints what each job counted, as JSON, and Spark's version.
"""

import json
import sys
from pathlib import Path


def main(archive: str, lake: str, months: str, calendar: str, folder: str) -> None:
    sys.path.insert(0, archive)
    from salespipe_spark.job import ClusterEngine, Order, run
    from salespipe_spark.tables import LANDED, tables

    engine = ClusterEngine()
    counted: dict[str, object] = {}
    for table in tables().values():
        if table.transform and LANDED not in table.inputs:
            words = ["--lake", lake, "--table", table.name, "--months", months, "--calendar", calendar]
            order = Order.parse([*words, "--target", str(Path(folder, table.name))])
            counted[table.name] = run(order, engine, lambda line: None)["measured"]
    # No row at all: then there is next to nothing to read again.
    none = ["--lake", lake, "--table", "fact_online_sales", "--months", "1999-01", "--inputs", "online_sales="]
    empty = run(Order.parse([*none, "--target", str(Path(folder, "none"))]), engine, lambda line: None)
    assert empty["measured"]["figures"] == {}
    others = [name for name in ("pyarrow", "boto3", "dagster") if name in sys.modules]
    told = {"spark": engine.session.version, "imported": others, "counted": counted}
    sys.stdout.write(json.dumps(told, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
