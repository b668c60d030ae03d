"""The README's way to one's own database, typed as it stands there."""

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


def test_own_database_in_five_minutes(classicmodels: str, tmp_path: Path) -> None:
    """Only the address and the place of the password are one's own; the user may do nothing but read."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^## Your own database.*?```\n(.*?)```", readme, re.DOTALL | re.MULTILINE)
    url = sa.make_url(classicmodels)
    execute(
        classicmodels,
        "CREATE OR REPLACE USER by_readme@'127.0.0.%%' IDENTIFIED BY 'hush'",
        f"GRANT SELECT ON `{url.database}`.* TO by_readme@'127.0.0.%%'",
    )
    (tmp_path / "secret").write_text("hush\n")
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    own = sa.URL.create(url.drivername, "by_readme", None, url.host, url.port, url.database).render_as_string()
    assert URL in commands
    assert SECRET in commands
    typed = commands.replace(URL, f"'{own}'").replace(SECRET, f"'{tmp_path / 'secret'}'")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SALESPIPE_", "DAGSTER_"))}
    kept["COLUMNS"] = "250"  # so that no sentence is broken
    # Without a first month the doctor's exit code is not 0: to set it is the next line.
    done = subprocess.run(["bash", "-c", typed], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "export SALESPIPE_START_MONTH=2003-01 SALESPIPE_END_MONTH=2005-06" in done.stdout
    lake = tmp_path / ".salespipe" / "lake"
    assert "revenue" in (lake / "report" / "index.html").read_text(encoding="utf-8").lower()
    ordered = pq.read_table(lake / "marts" / "monthly_revenue", columns=["ordered_amount"])["ordered_amount"]
    expected = ask(classicmodels, "SELECT SUM(quantityOrdered * priceEach) FROM orderdetails")[0][0]
    assert sum(ordered.to_pylist(), Decimal(0)) == expected
    assert "hush" not in done.stdout + done.stderr
