"""`salespipe quarantine`, as it is typed: what is put aside is seen, landed again, or decided."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from salespipe_dagster.cli import main
from salespipe_dagster.landing.land import Dock, land
from salespipe_dagster.landing.ledger import read_landed
from salespipe_dagster_tests.landing.dropping import SALES, drop_file, drop_sales, everything, sale_line
from salespipe_spark.lake.local import LocalStore

GOOD = [sale_line(f"T{number:02d}", "2024-01-31") for number in range(30)]
BAD = sale_line("T99", "2024-02-31")


@pytest.fixture
def home(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    """An empty home with its files, three months."""
    environment.setenv("COLUMNS", "200")
    environment.setenv("SALESPIPE_HOME", str(tmp_path))
    environment.setenv("SALESPIPE_START_MONTH", "2024-01")
    environment.setenv("SALESPIPE_END_MONTH", "2024-03")
    return tmp_path


def landed(home: Path) -> dict[str, list[tuple[str, int]]]:
    return everything(LocalStore(home / "lake"))


def run_landing(home: Path) -> None:
    dock = Dock(LocalStore(home / "files"), LocalStore(home / "lake"), home / "scratch", "2024-01", "2024-03", 0.05, "")
    land(dock)


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, ["quarantine", *words])


def listed() -> list[tuple[str, str, int]]:
    found = json.loads(typed("list", "--json").stdout)
    return [(item["file"], item["status"], item["quarantined"]) for item in found]


def test_files_with_something_put_aside_are_listed_held_ones_first(home: Path) -> None:
    drop_sales(home / "files", "good", GOOD)
    drop_sales(home / "files", "a few", [*GOOD, BAD])
    drop_sales(home / "files", "held", [BAD])
    drop_file(home / "files", "sales/cut.csv.gz", "\x1f\x8b")
    run_landing(home)
    assert listed() == [
        ("sales/cut.csv.gz", "failed", 0),
        ("sales/held.csv", "held", 1),
        ("sales/a few.csv", "landed", 1),
    ]
    shown = " ".join(typed("list").stdout.split())  # however wide the terminal is
    assert "1 of 1 records are rejected: 1 bad_date." in shown
    assert "salespipe quarantine release sales/held.csv" in shown


def test_nothing_put_aside_is_said(home: Path) -> None:
    assert typed("list").stdout == "Nothing is put aside.\n"
    assert listed() == []


def test_records_are_shown_with_line_column_reason_and_text(home: Path) -> None:
    drop_sales(home / "files", "held", [*GOOD[:3], BAD, BAD.replace("T99", "T98[bold]")])
    run_landing(home)
    shown = typed("show", "sales/held.csv").stdout
    assert " 5     date    bad_date  T99,2024-02-31,C1,Lamp,1,2.50,North,2.50" in shown
    assert "T98[bold],2024-02-31" in shown
    assert "T98" not in typed("show", "sales/held.csv", "--most", "1").stdout


def test_held_file_is_released(home: Path) -> None:
    drop_sales(home / "files", "held", [*GOOD[:3], BAD])
    run_landing(home)
    assert landed(home) == {}
    result = typed("release", "sales/held.csv")
    assert "Next: salespipe run --months 2024-01" in result.stdout
    assert len(landed(home)["2024-01"]) == 3
    assert listed() == [("sales/held.csv", "landed", 1)]
    run_landing(home)
    assert len(landed(home)["2024-01"]) == 3, "the next run took it back"


def test_replay_lands_what_was_rejected_after_a_setting_was_mended(home: Path, environment: pytest.MonkeyPatch) -> None:
    """April's sale was out of range; its month was configured since. The month's fingerprint tells the plan."""
    drop_sales(home / "files", "a", [*GOOD, sale_line("T99", "2024-04-01"), sale_line("T98", "2024-03-31")])
    run_landing(home)
    before = read_landed(LocalStore(home / "lake"), SALES).fingerprint("2024-03")
    environment.setenv("SALESPIPE_END_MONTH", "2024-04")
    result = typed("replay")
    assert result.exit_code == 0
    assert "Next: salespipe run --months 2024-03...2024-04" in result.stdout
    after = read_landed(LocalStore(home / "lake"), SALES)
    assert sorted(after.parts) == ["2024-01", "2024-03", "2024-04"]
    assert (after.fingerprint("2024-03") != before, listed()) == (True, [])


def test_mended_file_lands_and_nothing_of_the_held_one_is_left(home: Path) -> None:
    drop_sales(home / "files", "a", [*GOOD[:3], BAD])
    run_landing(home)
    drop_sales(home / "files", "a", GOOD[:4], minutes=1)
    assert typed("replay", "sales/a.csv").exit_code == 0
    assert (len(landed(home)["2024-01"]), listed()) == (4, [])


def test_replay_that_comes_out_worse_changes_nothing(home: Path, environment: pytest.MonkeyPatch) -> None:
    drop_sales(home / "files", "a", [*GOOD, BAD])
    run_landing(home)
    environment.setenv("SALESPIPE_MAX_REJECTED_SHARE", "0")
    result = typed("replay")
    assert result.exit_code == 1
    assert "sales/a.csv: parsed again it would be held" in result.stderr
    assert len(landed(home)["2024-01"]) == 30


def test_held_file_is_dropped_with_what_landed_of_it_before(home: Path) -> None:
    drop_sales(home / "files", "a", GOOD)
    run_landing(home)
    drop_sales(home / "files", "a", [BAD], minutes=1)
    run_landing(home)
    assert len(landed(home)["2024-01"]) == 30
    assert "Next: salespipe run --months 2024-01" in typed("drop", "sales/a.csv").stdout
    assert (landed(home), listed()) == ({}, [])
    run_landing(home)
    assert (landed(home), listed()) == ({}, [])


def test_file_that_landed_is_not_dropped(home: Path) -> None:
    drop_sales(home / "files", "a", GOOD)
    run_landing(home)
    result = typed("drop", "sales/a.csv")
    assert (result.exit_code, len(landed(home)["2024-01"])) == (1, 30)
    assert "sales/a.csv is not held" in result.stderr


def test_deleted_file_is_forgotten_only_by_command_and_only_if_it_is_gone(home: Path) -> None:
    drop_sales(home / "files", "a", GOOD)
    drop_sales(home / "files", "b", GOOD[:2], minutes=1)
    run_landing(home)
    assert "is still there" in typed("forget", "sales/a.csv").stderr
    (home / "files" / "sales" / "a.csv").unlink()
    run_landing(home)
    assert len(landed(home)["2024-01"]) == 30
    assert "sales/a.csv counts no more." in typed("forget", "sales/a.csv").stdout
    assert landed(home) == {"2024-01": [("T00", 1), ("T01", 1)]}
    assert typed("forget", "sales/a.csv").exit_code == 1
    drop_sales(home / "files", "a", GOOD)  # from a backup, with its time: a new file all the same
    run_landing(home)
    assert len(landed(home)["2024-01"]) == 30


def test_month_is_named_to_which_a_row_comes_back_when_its_newer_file_is_forgotten(home: Path) -> None:
    """Nothing of that file lies in it: who made its own months alone would see the sale nowhere."""
    drop_sales(home / "files", "a", GOOD)
    drop_sales(home / "files", "b", [sale_line("T00", "2024-03-01"), sale_line("T98", "2024-03-01")], minutes=1)
    run_landing(home)
    (home / "files" / "sales" / "b.csv").unlink()
    shown = typed("forget", "sales/b.csv").stdout
    assert "--months 2024-01" in shown
    assert "--months 2024-03" in shown
    assert landed(home) == {"2024-01": [(f"T{number:02d}", 1) for number in range(30)]}


def test_month_is_named_that_a_replayed_file_has_left(home: Path) -> None:
    drop_sales(home / "files", "a", [*GOOD, BAD])
    run_landing(home)
    drop_sales(home / "files", "a", [sale_line("T00", "2024-03-01")], minutes=1)
    shown = typed("replay", "sales/a.csv").stdout
    assert "--months 2024-01" in shown
    assert "--months 2024-03" in shown


def test_replay_of_all_passes_over_files_that_are_gone_and_takes_each_once(home: Path) -> None:
    """One file that was moved to an archive kept all others away; one with a held overwrite was parsed twice."""
    for name in ("archived", "mended"):
        drop_sales(home / "files", name, [*GOOD, BAD])
    run_landing(home)
    drop_sales(home / "files", "mended", [BAD], minutes=1)
    run_landing(home)
    assert len(listed()) == 3
    (home / "files" / "sales" / "archived.csv").unlink()
    result = typed("replay")
    assert (result.exit_code, result.stdout.count("sales/mended.csv")) == (0, 1)
    assert "is not there any more" in typed("replay", "sales/archived.csv").stderr


@pytest.mark.parametrize("command", ["show", "replay", "release", "drop", "forget"])
def test_file_that_nobody_knows_is_an_error_that_says_where_to_look(home: Path, command: str) -> None:
    result = typed(command, "sales/nothing.csv")
    assert result.exit_code == 1
    assert "The ledger knows no file sales/nothing.csv" in result.stderr
    assert "salespipe quarantine list" in result.stderr


def test_text_of_a_file_is_shown_as_text(home: Path) -> None:
    """An escape in it would paint the terminal, or worse."""
    drop_sales(home / "files", "a\x1b[31mred", [BAD])
    run_landing(home)
    assert "\\x1b[31mred" in typed("list").stdout
