"""The company moves forward: what changes is written, all of it or nothing, however it is called."""

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from salespipe_dagster.advance import advance, ahead_of_the_company
from salespipe_dagster.cli import main
from salespipe_dagster.io_managers.mysql import slice_of
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.settings import DEMO_HOME, Settings
from salespipe_dagster.synthetic.configured import company_of
from salespipe_spark import months
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.errors import SalespipeError
from salespipe_spark.tables import Table, sources, tables

Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def _nothing_set(environment: pytest.MonkeyPatch) -> None:
    """What is set on the machine of the developer is not what is tested."""


def settings(home: Path, end: str = "2025-04", size: int = 60) -> Settings:
    return Settings.checked(home=home, start_month="2025-01", end_month=end, company_orders_per_month=size)


def made(configured: Settings, only: list[str] | None = None) -> SourceDatabase:
    """The source as a run makes it: every table and month, of the day that the marker says."""
    source = SourceDatabase(configured.source)
    source.prepare_company(company_of(configured))
    for table in sources():
        for part in table.parts(only or configured.months):
            make(source, table, part)
    return source


def make(source: SourceDatabase, table: Table, part: str) -> None:
    source.replace(slice_of(table, part), lambda there: there.batches(table.name, None if part == SNAPSHOT else part))


def dump(source: SourceDatabase) -> Dump:
    """Every row of every table, the marker's included."""
    with sqlite3.connect(source.url.database or "") as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    connection.close()
    return found


def today(source: SourceDatabase) -> date | None:
    there = source.made_by()
    return there and there.today


def test_the_company_starts_on_the_last_configured_day(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    assert company_of(configured).today == date(2025, 4, 30)
    assert today(made(configured)) == date(2025, 4, 30)


def test_advancing_changes_orders_of_earlier_months_and_says_which(tmp_path: Path) -> None:
    source = made(settings(tmp_path))
    before = dump(source)
    parts: list[tuple[str, int]] = []
    moved = advance(source, settings(tmp_path), 25, lambda *told: parts.append(told))
    after = dump(source)
    assert (moved.before.today, moved.after.today, today(source)) == (
        date(2025, 4, 30),
        date(2025, 5, 25),
        date(2025, 5, 25),
    )
    differs = {row[1][:7] for row in set(after["orders"]) - set(before["orders"])}
    assert moved.changed == {"orders": sorted(differs)}
    assert {"2025-03", "2025-04"} <= differs
    assert {name for name in before if before[name] != after[name]} == {"orders", "salespipe_company"}
    assert parts == [(f"orders {month}", 4) for month in configured_months(source)]


def configured_months(source: SourceDatabase) -> list[str]:
    span = source.span()
    assert span
    return months.between(*span)


def test_new_days_bring_new_orders_and_payments_within_the_configured_months(tmp_path: Path) -> None:
    """END_MONTH is moved on first; without it there is no month that they belong to."""
    source, longer = made(settings(tmp_path)), settings(tmp_path, end="2025-06")
    assert ahead_of_the_company(longer) == (
        "2025-05...2025-06 is empty: the company's day is 2025-04-30; "
        "`salespipe company advance --days 61` moves it to their end"
    )
    moved = advance(source, longer, 40)
    assert moved.changed["order_details"] == ["2025-05", "2025-06"]
    assert moved.changed["payments"] == ["2025-05", "2025-06"]
    assert {"2025-04", "2025-05", "2025-06"} <= set(moved.changed["orders"])
    assert max(row[1] for row in dump(source)["orders"]) <= "2025-06-09"
    assert ahead_of_the_company(longer) == ""


def test_in_one_step_in_many_and_at_once_the_same_rows(tmp_path: Path) -> None:
    """A slice that is as of no day that ever was would never come right again."""
    longer = [settings(tmp_path / name, end="2025-06") for name in ("one", "many", "made")]
    for configured in longer[:2]:
        made(settings(configured.root))
    one, many, _ = (SourceDatabase(configured.source) for configured in longer)
    advance(one, longer[0], 61)
    for days in (1, 13, 30, 17):
        advance(many, longer[1], days)
    assert dump(one) == dump(many) == dump(made(longer[2]))


def dropped(configured: Settings) -> dict[str, tuple[bytes, int]]:
    """The files that lie there: content and time."""
    files = [path for path in configured.files.glob("[a-z]*/**/*") if path.is_file()]
    return {str(path.relative_to(configured.files)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_the_files_of_the_new_days_are_dropped(tmp_path: Path) -> None:
    """Those of the configured months alone: rows of others would be put aside."""
    longer = settings(tmp_path, end="2025-06")
    moved = advance(made(settings(tmp_path)), longer, 40)
    expected = ["sales/2025/05/sales-2025-05-15.csv", "sales/2025/05/sales-2025-05-31.csv"]
    assert moved.files == [name for name in sorted(dropped(longer)) if name in moved.files] == expected
    assert moved.sold == {"2025-05"}
    moved = advance(SourceDatabase(longer.source), longer, 60)
    assert sorted(moved.files) == sorted(dropped(longer).keys() - set(expected))
    assert {name.partition("/")[0] for name in moved.files} == {"sales", "customers"}
    assert moved.sold == {"2025-05", "2025-06"}
    assert not any("2025-07" in name for name in moved.files)


def test_in_one_step_and_in_many_the_same_files(tmp_path: Path) -> None:
    one, many = (settings(tmp_path / name, end="2025-07") for name in ("one", "many"))
    for configured, steps in ((one, [90]), (many, [1, 13, 30, 46])):
        source = made(settings(configured.root))
        for days in steps:
            advance(source, configured, days)
    assert dropped(one) == dropped(many)
    assert len(dropped(one)) > 5


def test_where_files_url_is_set_the_company_drops_nothing(tmp_path: Path) -> None:
    """Whose files they are is unknown, and so is what they would do there."""
    named = Settings.checked(
        **(settings(tmp_path, end="2025-06").model_dump() | {"files_url": str(tmp_path / "files")})
    )
    moved = advance(made(settings(tmp_path)), named, 40)
    assert moved.files == []
    assert not (tmp_path / "files").exists()


def test_months_that_are_there_but_not_configured_are_of_the_new_day_too(tmp_path: Path) -> None:
    """There is one day for all of the source: a slice of the day before would be asked for by nobody."""
    narrow, wide = (settings(tmp_path / name) for name in ("narrow", "wide"))
    narrower = Settings.checked(
        home=narrow.root, start_month="2025-04", end_month="2025-04", company_orders_per_month=60
    )
    moved = advance(made(narrow), narrower, 25)
    assert moved.months[0] < "2025-04"
    advance(made(wide), wide, 25)
    assert dump(SourceDatabase(narrow.source)) == dump(SourceDatabase(wide.source))


def test_a_month_that_is_there_grows_also_where_it_is_not_configured_any_more(tmp_path: Path) -> None:
    """On its first day there is an order and no payment yet: that the month is there is asked of all tables."""
    shorter, longer = settings(tmp_path, size=15), settings(tmp_path, "2025-05", size=15)
    moved = [advance(made(shorter), longer, 1), advance(SourceDatabase(shorter.source), shorter, 30)]
    assert ["2025-05" in each.changed.get("payments", []) for each in moved] == [False, True]
    assert dump(SourceDatabase(shorter.source)) == dump(made(settings(tmp_path / "made", "2025-05", size=15)))


def test_a_run_after_it_keeps_the_day(tmp_path: Path) -> None:
    """The settings still say the day that the company started from."""
    configured = settings(tmp_path)
    source = made(configured)
    advance(source, configured, 25)
    after = dump(source)
    assert dump(made(configured)) == after


def test_what_is_killed_halfway_has_not_happened(tmp_path: Path) -> None:
    configured = settings(tmp_path)
    source = made(configured)
    before, seen = dump(source), list[str]()

    def die(part: str, parts: int) -> None:
        seen.append(part)
        if len(seen) == parts:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        advance(source, configured, 25, die)
    assert len(seen) == 4
    assert dump(source) == before


def test_two_at_once_are_one_after_the_other(tmp_path: Path) -> None:
    """Both would read the same day, and one of them be lost."""
    configured = settings(tmp_path)
    source = made(configured)
    with ThreadPoolExecutor(2) as pool:
        moves = list(pool.map(lambda days: advance(SourceDatabase(configured.source), configured, days), (11, 14)))
    assert today(source) == date(2025, 5, 25)
    assert sorted(move.before.today for move in moves)[0] == date(2025, 4, 30)
    assert dump(source) == dump(made(configured))


def test_without_a_company_it_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    configured = settings(tmp_path / "home")
    with pytest.raises(SalespipeError, match="holds no synthetic company") as caught:
        advance(SourceDatabase(configured.source), configured, 5)
    assert "salespipe demo" in caught.value.hint
    assert not (tmp_path / "home").exists()


def test_a_month_that_no_run_has_made_is_left_to_that_run(tmp_path: Path) -> None:
    """Orders without their customers and lines would be in the source."""
    configured = settings(tmp_path)
    source = made(configured, only=["2025-01", "2025-02", "2025-03"])
    moved = advance(source, configured, 25)
    assert moved.changed == {"orders": moved.months}
    assert "2025-04" not in moved.months
    assert max(row[1] for row in dump(source)["orders"]) <= "2025-03-31"


def test_another_company_is_refused_with_the_settings_that_it_was_made_with(tmp_path: Path) -> None:
    """Their customers and products are others: mixed, orders belong to nobody."""
    source = made(settings(tmp_path))
    other = Settings.checked(
        home=tmp_path, company_seed=8, company_quirks=False, company_orders_per_month=60, start_month="2025-02"
    )
    before = dump(source)
    for refused in (lambda: advance(source, other, 5), lambda: source.prepare_company(company_of(other))):
        with pytest.raises(SalespipeError, match="holds another company") as caught:
            refused()
        assert "set SALESPIPE_COMPANY_SEED=7, SALESPIPE_COMPANY_QUIRKS=true" in caught.value.hint
        assert f"remove {tmp_path}/source.db" in caught.value.hint
        assert "START_MONTH" not in caught.value.hint
    assert dump(source) == before


def test_months_before_the_companys_first_are_refused_and_later_ones_are_its_own(tmp_path: Path) -> None:
    """Payments were left out whose orders would now be there: those would seem never to be paid."""
    source = made(settings(tmp_path))
    earlier, later = (
        Settings.checked(home=tmp_path, start_month=first, end_month="2025-04", company_orders_per_month=60)
        for first in ("2024-12", "2025-02")
    )
    before = dump(source)
    for refused in (lambda: advance(source, earlier, 5), lambda: source.prepare_company(company_of(earlier))):
        with pytest.raises(SalespipeError, match="holds another company") as caught:
            refused()
        assert caught.value.hint.startswith("set SALESPIPE_START_MONTH=2025-01 to go on with it; or remove ")
    source.prepare_company(company_of(later))
    assert dump(source) == before
    assert advance(source, later, 5).after.first_month == "2025-01"
    assert source.made_by() == company_of(settings(tmp_path)).after(5)


@pytest.mark.parametrize("note", ["Made by the synthetic company of salespipe.", "", '{"seed": 7}', "[]"])
def test_a_marker_of_another_version_is_refused(tmp_path: Path, note: str) -> None:
    source = made(settings(tmp_path))
    with sqlite3.connect(source.url.database or "") as connection:
        connection.execute("UPDATE salespipe_company SET note = ?", (note,))
    connection.close()
    with pytest.raises(SalespipeError, match="made by another version of salespipe") as caught:
        source.prepare_company(company_of(settings(tmp_path)))
    assert "remove" in caught.value.hint


def test_the_night_finds_the_months_that_changed(tmp_path: Path) -> None:
    """The schedule asks the server's fingerprints, whoever makes the tables."""
    configured = settings(tmp_path)
    source = made(configured)
    orders = tables()["orders"]
    before = {month: each.digest for month, each in source.fingerprints(orders, configured.months).items()}
    moved = advance(source, configured, 25)
    after = {month: each.digest for month, each in source.fingerprints(orders, configured.months).items()}
    assert [month for month in before if before[month] != after[month]] == moved.months


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["company", "advance", *arguments])
    return done.exit_code, done.output


def test_no_run_is_proposed_that_the_settings_refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(settings(tmp_path))
    for name, value in {"HOME": tmp_path, "START_MONTH": "2025-04", "END_MONTH": "2025-04"}.items():
        monkeypatch.setenv(f"SALESPIPE_{name}", str(value))
    monkeypatch.setenv("SALESPIPE_COMPANY_ORDERS_PER_MONTH", "60")
    code, said = invoke("--days=25")
    assert code == 0
    assert "salespipe run --months 2025-04...2025-04\n" in said
    assert said.count("salespipe run") == 1
    assert re.search(r"2025-0[1-3]\S* lies outside the configured months: SALESPIPE_START_MONTH", said)


@pytest.mark.parametrize("days", ["0", "-3", "many"])
def test_days_are_a_number_from_one_on(days: str) -> None:
    code, said = invoke(f"--days={days}")
    assert code == 2
    assert "--days" in said


def test_an_external_source_has_no_company(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPIPE_SOURCE_URL", "mysql+pymysql://shop@localhost/shop")
    monkeypatch.setenv("SALESPIPE_START_MONTH", "2025-01")
    code, said = invoke("--days=3")
    assert code == 1
    assert "The source is an external database" in said


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceDatabase:
    """The folder to stand in has the demo's company, as `salespipe demo` makes it."""
    monkeypatch.chdir(tmp_path)
    return made(Settings.embedded(DEMO_HOME))


def test_the_readmes_way_to_a_new_month_of_the_demo(demo: SourceDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands there; what it prints next is to be typed in the same shell, where nothing is exported."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (typed,) = re.findall(r"^(SALESPIPE.*) .venv/bin/salespipe company (advance.*)$", readme, re.MULTILINE)
    for setting in typed[0].split():
        monkeypatch.setenv(*setting.split("="))
    done = CliRunner().invoke(main, ["company", *typed[1].split()])
    assert done.exit_code == 0
    assert today(demo) == date(2026, 1, 30)
    assert demo.span() == ("2024-01", "2026-01")
    prefix = "SALESPIPE_HOME=.salespipe/demo SALESPIPE_END_MONTH=2026-01"
    assert re.search(rf"Next: {prefix} salespipe run --months 2025-\d\d...2026-01\n", done.output)
    longer = Settings.load(end_month="2026-02")
    assert ahead_of_the_company(longer).endswith(
        "`SALESPIPE_HOME=.salespipe/demo SALESPIPE_END_MONTH=2026-02 salespipe company advance --days 29` "
        "moves it to their end"
    )


@pytest.mark.usefixtures("demo")
def test_who_sets_a_month_alone_is_told_where_the_demo_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set is no demo any more, and to make one is what the user has done."""
    monkeypatch.setenv("SALESPIPE_END_MONTH", "2026-01")
    code, said = invoke("--days=30")
    assert code == 1
    assert "next: set SALESPIPE_HOME=.salespipe/demo for the demo's company" in said


def test_a_day_after_the_configured_months_is_told_with_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the demo with its home: SALESPIPE_END_MONTH alone means another one."""
    monkeypatch.chdir(tmp_path)
    SourceDatabase(Settings.embedded(DEMO_HOME).source).prepare_company(company_of(Settings.embedded(DEMO_HOME)))
    _, said = invoke("--days=40")
    setting = "SALESPIPE_HOME=.salespipe/demo SALESPIPE_END_MONTH=2026-02"
    assert f"Nothing changed.\nThe day lies after the configured months; {setting} adds later ones." in said


def test_where_nothing_is_configured_it_is_the_demo(demo: SourceDatabase) -> None:
    code, said = invoke("--days=30")
    assert code == 0
    assert today(demo) == date(2026, 1, 30)
    assert "Next: SALESPIPE_HOME=.salespipe/demo salespipe run --months 2025-" in said
