"""The README's ways to one's own database and files, typed as they stand there."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from salespipe_dagster_tests.integration.mariadb import execute
from salespipe_dagster_tests.integration.pipeline import ask

ROOT = Path(__file__).parents[2]
URL, SECRET = "mysql+pymysql://reader@db.example.com/classicmodels", "/run/secrets/classicmodels"


def block(section: str) -> str:
    """The commands of a section of the README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(rf"^## {section}.*?```\n(.*?)```", readme, re.DOTALL | re.MULTILINE)
    return str(commands)


def typed(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What comes of the commands, typed in a folder that holds nothing but .venv."""
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALESPIPE_", "DAGSTER_"))}
    kept["COLUMNS"] = "250"  # so that no sentence is broken
    return subprocess.run(["bash", "-c", commands], cwd=folder, env=kept, capture_output=True, text=True, check=False)


def test_own_database_in_five_minutes(classicmodels: str, tmp_path: Path) -> None:
    """Only the address and the place of the password are one's own; the user may do nothing but read."""
    commands = block("Your own database")
    url = sa.make_url(classicmodels)
    execute(
        classicmodels,
        "CREATE OR REPLACE USER by_readme@'127.0.0.%%' IDENTIFIED BY 'hush'",
        f"GRANT SELECT ON `{url.database}`.* TO by_readme@'127.0.0.%%'",
    )
    (tmp_path / "secret").write_text("hush\n")
    own = sa.URL.create(url.drivername, "by_readme", None, url.host, url.port, url.database).render_as_string()
    assert URL in commands
    assert SECRET in commands
    # Without a first month the doctor's exit code is not 0: to set it is the next line.
    done = typed(commands.replace(URL, f"'{own}'").replace(SECRET, f"'{tmp_path / 'secret'}'"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "export SALESPIPE_START_MONTH=2003-01 SALESPIPE_END_MONTH=2005-06" in done.stdout
    lake = tmp_path / ".salespipe" / "lake"
    assert "revenue" in (lake / "report" / "index.html").read_text(encoding="utf-8").lower()
    ordered = pq.read_table(lake / "marts" / "monthly_revenue", columns=["ordered_amount"])["ordered_amount"]
    expected = ask(classicmodels, "SELECT SUM(quantityOrdered * priceEach) FROM orderdetails")[0][0]
    assert sum(ordered.to_pylist(), Decimal(0)) == expected
    assert "hush" not in done.stdout + done.stderr


def test_own_files(tmp_path: Path) -> None:
    """The wrong sale is shown; corrected it counts, and so does every other one, once."""
    commands = block("Your own files")
    done = typed(commands, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"4 +total_amount +total_mismatch +T-3,2024-05-03,C-1,Chair,1,49.00,North,48.00", done.stdout)
    lines = commands.splitlines()
    settings, run = (next(line for line in lines if line.startswith(start)) for start in ("export", ".venv"))
    again = typed(f"sed -i s/48.00/49.00/ incoming/sales/shop.csv; {settings}; {run}", tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    sales = pq.read_table(tmp_path / ".salespipe" / "lake" / "core" / "fact_online_sales").to_pylist()
    assert sorted((sale["transaction_id"], sale["amount"]) for sale in sales) == [
        ("T-1", Decimal("39.80")),
        ("T-2", Decimal("49.00")),
        ("T-3", Decimal("49.00")),
    ]
