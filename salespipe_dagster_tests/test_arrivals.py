"""The plan of arrivals, and random histories of files and runs under it: every file lands exactly once."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salespipe_dagster.arrivals import (
    LAND,
    LONGEST,
    STUCK,
    Asked,
    Due,
    Past,
    due_of,
    is_held_back,
    made_from_files,
    other_inputs,
    plan,
)
from salespipe_dagster.landing.ledger import Landed, Ledger
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.survey import settled, survey
from salespipe_dagster_tests.test_automation import receipt
from salespipe_spark.contract import SNAPSHOT
from salespipe_spark.lake.objects import Entry
from salespipe_spark.lake.receipt import Receipt
from salespipe_spark.tables import feeds, tables

NOW = datetime(2024, 4, 1, 12, tzinfo=UTC)
NOTHING = Due([], set(), snapshots=False)
MONTHS = ["2024-01", "2024-02", "2024-03"]


def names(asked: list[Asked]) -> list[str]:
    return [each.name for each in asked]


def ended(name: str, minutes: float, *, failed: bool) -> Past:
    """A run of ten seconds that ended so many minutes ago."""
    at = NOW - timedelta(minutes=minutes)
    return Past(name, at - timedelta(seconds=10), at, failed)


def test_files_that_wait_ask_for_a_landing() -> None:
    assert names(plan(3, 10, NOTHING, [], NOW)) == [LAND]
    assert plan(0, 10, NOTHING, [], NOW) == []


def test_months_are_asked_for_in_unbroken_blocks() -> None:
    due = Due(["2024-01", "2024-02", "2024-05"], {"2024-05"}, snapshots=True)
    assert plan(0, 10, due, [], NOW) == [
        Asked("all 2024-05...2024-05", ["2024-05"], whole=True),
        Asked("files 2024-01...2024-02", ["2024-01", "2024-02"]),
    ]


def test_snapshots_alone_need_no_month() -> None:
    assert plan(0, 10, Due([], set(), snapshots=True), [], NOW) == [Asked(SNAPSHOT)]


def test_months_are_made_beside_a_trickle_of_files() -> None:
    """If files always came first, a shop that drops one a minute would never see a figure."""
    assert names(plan(1, 10, Due(["2024-01"], set(), snapshots=False), [], NOW)) == [LAND, "files 2024-01...2024-01"]


def test_months_wait_while_more_is_there_than_one_run_lands() -> None:
    """A hundred thousand files are landed first, and each month is then made once."""
    assert names(plan(11, 10, Due(["2024-01"], set(), snapshots=False), [], NOW)) == [LAND]


def test_nothing_is_asked_for_while_a_run_is_under_way() -> None:
    assert plan(3, 10, NOTHING, [Past("", NOW - timedelta(hours=2))], NOW) == []


def test_run_that_was_killed_holds_nobody_back_for_ever() -> None:
    assert names(plan(3, 10, NOTHING, [Past(LAND, NOW - STUCK - timedelta(seconds=1))], NOW)) == [LAND]


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (5, 16), (9, 30)])
def test_each_failure_doubles_the_wait(failures: int, minutes: int) -> None:
    earlier = [ended(LAND, minutes + 60 + n, failed=True) for n in range(1, failures)]
    assert is_held_back(LAND, [*earlier, ended(LAND, minutes - 0.1, failed=True)], NOW)
    assert not is_held_back(LAND, [*earlier, ended(LAND, minutes, failed=True)], NOW)


def test_success_ends_the_wait_and_other_runs_do_not_count() -> None:
    runs = [ended(LAND, 3, failed=True), ended(LAND, 2, failed=False), ended("files 2024-01...2024-01", 0, failed=True)]
    assert not is_held_back(LAND, runs, NOW)


def test_clock_that_was_set_back_makes_nobody_wait() -> None:
    assert not is_held_back(LAND, [ended(LAND, -600, failed=True)], NOW)


# What is due: the staging tables' months against what has landed, and what is made of them.


def landed(**parts: list[str]) -> dict[str, Landed]:
    """What has landed: of each part named (m2024_01 or snapshot) these objects, for sales unless it is the snapshot."""
    by_part = {part.removeprefix("m").replace("_", "-"): keys for part, keys in parts.items()}
    sales = {part: keys for part, keys in by_part.items() if part != SNAPSHOT}
    snapshot = {part: keys for part, keys in by_part.items() if part == SNAPSHOT}
    return {table.name: Landed(table, Ledger({}), sales if table.monthly else snapshot) for table in feeds()}


def made_of(files: dict[str, Landed], months: list[str]) -> dict[str, dict[str, Receipt]]:
    """The receipts of all that is made from files, made now of these."""
    found: dict[str, dict[str, Receipt]] = {}
    for table in made_from_files():
        found[table.name] = {}
        for part in table.parts(months):
            fingerprint = files[table.name].fingerprint(part) if table.name in files else ""
            inputs = {n: {p: f"rows of {n} {p}" for p in tables()[n].parts([part])} for n in table.upstream}
            found[table.name][part] = receipt(table.name, part, inputs, fingerprint)
    return found


def everywhere(months: list[str]) -> dict[str, set[str]]:
    return {table.name: set(table.parts(months)) for table in other_inputs()}


FILES = landed(m2024_01=["a/1.parquet"], m2024_02=["a/1.parquet"], snapshot=["c/1.parquet"])


def test_what_was_made_of_what_has_landed_is_not_due() -> None:
    assert due_of(FILES, made_of(FILES, MONTHS), everywhere(MONTHS), set(), MONTHS) == NOTHING


def test_file_makes_the_months_due_that_it_touches_and_no_other() -> None:
    more = landed(m2024_01=["a/1.parquet"], m2024_02=["a/1.parquet", "a/2.parquet"], snapshot=["c/1.parquet"])
    assert due_of(more, made_of(FILES, MONTHS), everywhere(MONTHS), set(), MONTHS).months == ["2024-02"]


def test_month_whose_last_file_was_forgotten_is_due() -> None:
    fewer = landed(m2024_01=["a/1.parquet"], snapshot=["c/1.parquet"])
    assert due_of(fewer, made_of(FILES, MONTHS), everywhere(MONTHS), set(), MONTHS).months == ["2024-02"]


def test_month_that_never_had_a_file_is_not_due() -> None:
    """An empty lake is filled by its own run: the sensor does not start years of it."""
    nothing: dict[str, dict[str, Receipt]] = {table.name: {} for table in made_from_files()}
    assert due_of(landed(), nothing, everywhere([]), set(), MONTHS) == NOTHING
    assert due_of(FILES, nothing, everywhere([]), set(), MONTHS).months == ["2024-01", "2024-02"]


def test_month_whose_other_tables_were_never_published_is_made_whole() -> None:
    """monthly_revenue has both channels: selected by its files alone it would fail at the wholesale fact."""
    nothing: dict[str, dict[str, Receipt]] = {table.name: {} for table in made_from_files()}
    assert due_of(FILES, nothing, everywhere(["2024-02"]), set(), MONTHS).whole == {"2024-01"}


@pytest.mark.parametrize("name", ["fact_online_sales", "online_sales_summary", "monthly_revenue"])
@pytest.mark.parametrize("crash", ["never made", "made from older rows"])
def test_month_that_a_dead_run_left_behind_is_due(name: str, crash: str) -> None:
    receipts = made_of(FILES, MONTHS)
    if crash == "never made":
        del receipts[name]["2024-01"]
    else:
        of_month = receipts[name]["2024-01"]
        online = next(i for i in tables()[name].upstream if "online" in i and tables()[i].monthly)
        older = of_month.provenance.inputs | {online: {"2024-01": "older rows"}}
        receipts[name]["2024-01"] = replace(of_month, provenance=replace(of_month.provenance, inputs=older))
    assert due_of(FILES, receipts, everywhere(MONTHS), set(), MONTHS).months == ["2024-01"]


def test_new_profiles_make_the_snapshots_due_and_the_months_of_their_customers() -> None:
    more = landed(m2024_01=["a/1.parquet"], m2024_02=["a/1.parquet"], snapshot=["c/2.parquet"])
    due = due_of(more, made_of(FILES, MONTHS), everywhere(MONTHS), set(), MONTHS)
    assert due == Due([], set(), snapshots=True)
    late = due_of(FILES, made_of(FILES, MONTHS), everywhere(MONTHS), {"2024-02"}, MONTHS)
    assert late.months == ["2024-02"]


# Random histories: files arrive, are overwritten and deleted; runs fail or are killed; clocks jump.


@dataclass
class World:
    """A store of files, a ledger, and the runs between: what the sensor sees, and what truly happened."""

    clock: datetime = NOW
    files: dict[str, Entry] = field(default_factory=dict[str, Entry])
    ledger: Ledger = field(default_factory=lambda: Ledger({}))
    runs: list[Past] = field(default_factory=list[Past])
    landings: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    contents: int = 0

    def drop(self, name: int, *, same_second: bool) -> None:
        """Somebody writes a file; the store's clock tells seconds."""
        key = f"sales/{name}.csv"
        self.contents += 1
        etag = f"{hash((key, self.contents)) % 1000:03d}x{self.contents}"
        written = self.clock.replace(microsecond=0)
        if same_second and key in self.files:
            written = self.files[key].modified
        self.files[key] = Entry(key, etag, 1, written)

    def tick(self) -> list[Asked]:
        """The sensor, of a store of objects: no cursor, whatever was asked for before."""
        ledgers = {table.name: Ledger({}) for table in feeds()} | {"online_sales": self.ledger}
        pending = survey(self.files.values(), ledgers).pending
        return plan(len(pending), 3, NOTHING, self.runs, self.clock)

    def run(self, most: int, *, fails_after: int | None) -> None:
        """A landing: the oldest first, each entered by itself; a killed one enters no more."""
        ledgers = {table.name: Ledger({}) for table in feeds()} | {"online_sales": self.ledger}
        pending = survey(self.files.values(), ledgers).pending[:most]
        begun = self.clock
        for version in pending[: len(pending) if fails_after is None else fails_after]:
            lands_as = self.ledger.landing(version)
            self.landings[version.key, version.etag] += 1
            self.ledger = self.ledger.with_entries({lands_as.id: Status.LANDED})
        self.runs.append(Past(LAND, begun, self.clock, failed=fails_after is not None))

    def current(self) -> set[str]:
        """The files whose rows count, as the ledger has them."""
        return self.ledger.current


EVENTS = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, 4), st.booleans()),
    st.tuples(st.just("delete"), st.integers(0, 4)),
    st.tuples(st.just("tick"), st.sampled_from([None, None, 0, 1])),
    st.tuples(st.just("clock"), st.sampled_from([1, 45, 600, 7200, -3600, -90000])),
)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, max_size=30))
def test_at_the_end_every_file_has_landed_exactly_once(history: list[tuple[object, ...]]) -> None:
    world = World()
    for event in history:
        match event:
            case ("drop", int(name), bool(same_second)):
                world.drop(name, same_second=same_second)
            case ("delete", int(name)):
                world.files.pop(f"sales/{name}.csv", None)
            case ("tick", fails_after):
                if world.tick():
                    world.run(3, fails_after=fails_after if isinstance(fails_after, int) else None)
            case (_, int(seconds)):
                world.clock += timedelta(seconds=seconds)
            case _:
                raise AssertionError(event)
    for _ in range(40):  # from here on nothing fails and nothing is dropped
        world.clock += LONGEST
        if world.tick():
            world.run(3, fails_after=None)
    assert world.tick() == []
    assert set(world.landings.values()) <= {1}, "a content landed twice"
    for key, entry in world.files.items():
        assert world.landings[key, entry.etag] == 1, f"{key} was lost"
    there = {"online_sales": world.ledger} | {t.name: Ledger({}) for t in feeds() if t.name != "online_sales"}
    found = survey(world.files.values(), there)
    gone = {version.partition("-")[0] for version in found.gone["online_sales"]}
    counting = {version.partition("-")[0] for version in world.current()}
    assert len(counting - gone) == len(world.files), "of each file that is there one version counts"


def test_file_that_is_being_written_is_taken_once_it_is_settled() -> None:
    world = World()
    world.drop(1, same_second=False)
    ledgers = {table.name: Ledger({}) for table in feeds()}
    pending = survey(world.files.values(), ledgers).pending
    assert settled(pending, NOW + timedelta(seconds=3)) == []
    assert settled(pending, NOW + timedelta(seconds=11)) == pending
