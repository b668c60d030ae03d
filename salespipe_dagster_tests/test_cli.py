"""The command as a user types it: what it prints, its exit codes, and the demo from start to end."""

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from salespipe_dagster.cli import main
from salespipe_dagster.synthetic.company import Company
from salespipe_spark import months

COMMAND = Path(sys.executable).parent / "salespipe"
DEMO = months.between("2024-01", "2025-12")


@pytest.fixture
def home(environment: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to stand in, with nothing configured."""
    environment.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_help_names_every_command() -> None:
    shown = typed("--help")
    assert shown.exit_code == 0
    for command in main.commands:
        assert re.search(rf"^  {command} ", shown.output, re.MULTILINE), command
        assert typed(command, "--help").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--months", "2024-13"], "2024-13"),
        (["run", "--months", "2024-05...2024-02"], "the last month is before the first"),
        (["run", "--months", "2019-01"], "outside the configured months"),
        (["verify", "--months", "may"], "may"),
    ],
)
def test_month_that_cannot_be_meant_is_one_clear_error(home: Path, arguments: list[str], said: str) -> None:
    """Nothing is made, nothing is printed that looks like Python."""
    shown = typed(*arguments)
    assert shown.exit_code == 1
    assert said in shown.output
    assert "Traceback" not in shown.output
    assert not list(home.iterdir())


def test_setting_that_is_unknown_is_an_error_and_not_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_STRAT_MONTH", "2024-01")
    shown = typed("run")
    assert shown.exit_code == 1
    assert "SALESPIPE_STRAT_MONTH" in shown.output


def test_doctor_for_programs_is_json_and_its_exit_code_tells_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well = typed("doctor", "--json")
    assert (well.exit_code, {f["what"]: f["ok"] for f in json.loads(well.stdout)}["lake"]) == (0, True)
    monkeypatch.setenv("SALESPIPE_ENGINE", "flink")
    ill = typed("doctor", "--json")
    assert ill.exit_code == 1
    assert [f["what"] for f in json.loads(ill.stdout) if not f["ok"]] == ["settings"]


def test_dictionary_is_printed_as_it_is_in_the_docs() -> None:
    file = Path(__file__).parents[1] / "docs" / "data-dictionary.md"
    assert typed("dictionary").output == file.read_text(encoding="utf-8")


def test_demo_as_a_user_runs_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is configured around it; the figures that it publishes are those of the company it made."""
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", "mysql+pymysql://owner@127.0.0.1:1/the_real_shop")
    monkeypatch.setenv("SALESPIPE_LAKE_URL", str(home / "the real lake"))
    shown = subprocess.run([COMMAND, "demo"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert [path.name for path in home.iterdir()] == [".salespipe"]
    lake = home / ".salespipe" / "demo" / "lake"
    company = Company()
    lines = [line for month in DEMO for line in company.rows("order_details", month).to_pylist()]
    assert len(lines) >= 20_000
    ordered = sum((line["quantityOrdered"] * line["priceEach"] for line in lines), Decimal(0))
    mart = pq.read_table(
        lake / "marts" / "monthly_revenue",
        columns=["ordered_amount"],
        filters=[("channel", "=", "wholesale")],
    )
    assert (mart.num_rows, sum(mart["ordered_amount"].to_pylist())) == (24, ordered)
    assert f"{ordered:,.2f}" in shown.stdout
    assert "monthly_revenue" in shown.stdout
    assert (lake / "charts" / "monthly_revenue.png").read_bytes()[:4] == b"\x89PNG"
    assert "make dev" in shown.stdout
    printed = re.search(r"SALESPIPE_HOME=(\S+) salespipe (verify) ", shown.stdout)
    assert printed
    for variable in ("SALESPIPE_SOURCE_URL", "SALESPIPE_LAKE_URL"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SALESPIPE_HOME", printed[1])
    proof = subprocess.run([COMMAND, printed[2]], capture_output=True, text=True, check=False)
    assert proof.returncode == 0, proof.stdout + proof.stderr
    assert "Every table is what its receipts say, and the source is what was read." in proof.stdout
