"""Dagster's own records in the home folder: made once, by one, in a folder that can be used."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from salespipe_dagster import records
from salespipe_dagster.arrivals import STUCK
from salespipe_dagster.doctor import examine
from salespipe_dagster.records import explained, instance
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError

OPEN = """
import sys
from pathlib import Path
from salespipe_dagster.records import instance
from salespipe_dagster.settings import Settings
settings = Settings.embedded(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
instance(settings).dispose()
"""


def test_instance_writes_its_settings_once(settings: Settings) -> None:
    """Somebody who changed them must find them so."""
    file = settings.dagster_home / "dagster.yaml"
    instance(settings).dispose()
    assert file.read_text() == records.INSTANCE
    file.write_text(records.INSTANCE + "# mine\n")
    instance(settings).dispose()
    assert file.read_text().endswith("# mine\n")


def test_run_that_was_killed_holds_the_queue_no_longer_than_the_sensor_waits_for_it(settings: Settings) -> None:
    """One run goes at a time: what the sensor asked for after a day was queued behind the dead run for ever."""
    with instance(settings) as records_of_home:
        assert records_of_home.run_monitoring_enabled
        assert records_of_home.run_monitoring_max_runtime_seconds == STUCK.total_seconds()


def test_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(SalespipeError, match=r"The home folder cannot be written(.|\n)*SALESPIPE_HOME"):
        instance(Settings.embedded(tmp_path / "home"))


def test_first_runs_that_start_together_make_one_home(tmp_path: Path) -> None:
    """Dagster's databases got two versions each, and no run ever started there again."""
    command = [sys.executable, "-c", OPEN, str(tmp_path / "home")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        said, complained = process.communicate(timeout=60)
        assert process.returncode == 0, said + complained
    databases = list((tmp_path / "home" / "dagster").rglob("*.db"))
    assert {"runs.db", "schedules.db"} <= {file.name for file in databases}
    for file in databases:
        with sqlite3.connect(file) as database:
            assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,), file


@pytest.mark.parametrize("name", ["a?b", 'a"b', "a%20b"])
def test_home_whose_path_is_misread_is_refused(tmp_path: Path, environment: pytest.MonkeyPatch, name: str) -> None:
    """The databases lay outside the home, under a name cut off or unescaped."""
    home = tmp_path / name / "home"
    with pytest.raises(SalespipeError, match="cannot be used"):
        instance(Settings.embedded(home))
    assert not home.exists()
    environment.setenv("SALESPIPE_HOME", str(home))
    (found,) = [finding for finding in examine() if finding.what == "home"]
    assert not found.ok


def test_home_may_have_blanks_quotes_and_signs_in_its_path(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    instance(Settings.embedded(tmp_path / "it's #1, 100% [b] ü" / "home")).dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["it's #1, 100% [b] ü"]


def test_full_disk_is_a_clear_error(tmp_path: Path) -> None:
    """It meets Dagster's records first, and SQLite calls it an I/O error."""
    full = OperationalError("PRAGMA", {}, sqlite3.OperationalError("database or disk is full"))
    with (
        pytest.raises(SalespipeError, match=r"records in .* cannot be written: database or disk is full"),
        explained(tmp_path),
    ):
        raise full
