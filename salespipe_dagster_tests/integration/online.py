"""The online channel of many landed rows, made by one engine into a lake: `python -m … <home> <engine>`."""

import random
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.support import Rows, landed_ddl
from salespipe_dagster_tests.support import sale as literal
from salespipe_spark.lake.lake import Lake
from salespipe_spark.tables import LANDED, Table, tables

MONTHS = ["2024-01", "2024-02", "2024-03"]
NAMES = ("Gold", " Gold", "gold ", "Zoë", "名前", "", "  ", "O'Hara", 'a "b"', None)
MADE = (
    *("online_sales", "online_customers", "online_products"),
    *("dim_online_customers", "dim_online_products", "fact_online_sales"),
    *("online_sales_summary", "online_revenue_by_segment"),
)


def landed() -> dict[str, Rows]:
    """Sales, profiles and products of several files each; keys repeat, rows moved, and files share their instant."""
    chance = random.Random(7)

    def file(name: str) -> tuple[str, str, datetime]:
        number = chance.randint(1, 9)
        written = datetime(2024, 4, 1, tzinfo=UTC) + timedelta(seconds=number // 2)
        return (f"{name}/{number}.csv", f"v{number}", written)

    sales: Rows = []
    for _ in range(2_000):
        number, moved = f"T{chance.randrange(900)}", chance.random() < 0.1
        day = date(2024, int(number[1:]) % 3 + 1, chance.randint(1, 29))
        row = literal(
            number,
            day.isoformat(),
            f"C{chance.randrange(60)}",
            chance.choice(["Lamp", "Chair ", "Café, groß", "名前"]),
            chance.randint(1, 2_000_000),
            f"{chance.randint(0, 9_999) / 100:.2f}",
            chance.choice(["North", "Île-de-France"]),
        )
        instant = row[1] + timedelta(microseconds=chance.randrange(10**10))
        kept = (number, None, row[2], *(None,) * 6) if moved else (number, instant, *row[2:])
        sales.append((*kept, *file("sales"), moved))
    customers: Rows = [
        (f"C{n % 40}", *(chance.choice(NAMES) for _ in range(2)), None, None, None, chance.choice(NAMES))
        for n in range(90)
    ]
    products: Rows = [(name, chance.choice(NAMES), None, None) for name in ("Lamp", "Chair ", "名前", "Lamp")]
    return {
        "online_sales": _each_once(sales),
        "online_customers": _each_once([(*row, *file("customers"), False) for row in customers]),
        "online_products": _each_once([(*row, *file("products"), False) for row in products]),
    }


def _each_once(rows: Rows) -> Rows:
    """A key is once in a file, and so once in its month."""
    return list({(row[0], row[-4]): row for row in rows}.values())


def make(home: Path, engine: str) -> None:
    """Publish the channel's tables, each from what is published before it."""
    settings = Settings.checked(home=home, engine=engine)
    rows = landed()
    with open_engine(settings) as opened:
        lake = Lake(settings.lake, opened)
        with lake.staging() as folder:
            for name in MADE:
                _publish(lake, tables()[name], rows, folder)


def _publish(lake: Lake, table: Table, rows: dict[str, Rows], folder: Path) -> None:
    opening = lake.open(table, table.parts(MONTHS))
    given = {name: lake.read(tables()[name], tables()[name].parts(MONTHS)) for name in table.upstream}
    if LANDED in table.inputs:
        given[LANDED] = lake.engine.session.createDataFrame(rows[table.name], landed_ddl(table))
    assert table.transform is not None
    staged = lake.stage(opening, table.transform(**given), folder)
    assert staged.passed, staged.checks
    lake.publish(staged, "a run")


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
