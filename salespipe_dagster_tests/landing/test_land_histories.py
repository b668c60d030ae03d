"""Random histories of landing, kills among them, against a model of what must count, which shares no code with it.

What an entry of the ledger says is taken from its file alone: which file it is of, and that it landed.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from salespipe_dagster.landing import index, land
from salespipe_dagster.landing.land import Dock
from salespipe_dagster_tests.landing.dropping import dock_at, drop_sales, everything, files_of, lake_of, sale_line
from salespipe_dagster_tests.landing.faulty import ENTRY, Crash, DyingStore

HISTORIES = 20
STEPS = 24
SPANS = [("2024-01", "2024-03")] * 3 + [("2024-01", "2024-02"), ("2024-02", "2024-03")]
Sold = dict[str, tuple[str, int]]
"""The month and the quantity of each transaction."""


@dataclass
class World:
    """What is there, what counts of what was there when it landed, and what comes next."""

    dock: Dock
    chance: random.Random
    there: dict[str, tuple[int, Sold]] = field(default_factory=dict[str, tuple[int, Sold]])
    counting: dict[str, tuple[int, Sold]] = field(default_factory=dict[str, tuple[int, Sold]])
    entered: set[Path] = field(default_factory=set[Path])
    drops: int = 0

    def drop(self) -> None:
        """A file appears or is overwritten, by an older or a newer one, with other rows."""
        self.drops += 1
        name, minutes = self.chance.choice("abc"), self.chance.randrange(0, 1000)
        numbers = self.chance.sample(range(5), self.chance.randint(2, 5))
        sold = {f"T{n}": (f"2024-0{self.chance.randint(1, 3)}", self.drops) for n in numbers}
        self.there[name] = (minutes, sold)
        lines = [sale_line(number, f"{month}-05", quantity) for number, (month, quantity) in sold.items()]
        drop_sales(files_of(self.dock), name, lines, minutes=minutes)

    def delete(self) -> None:
        """A file goes; what has landed of it counts on."""
        if self.there:
            name = self.chance.choice(sorted(self.there))
            del self.there[name]
            (files_of(self.dock) / f"sales/{name}.csv").unlink()

    def land(self, *, killed: bool) -> None:
        """A run over some months, in small batches; it may be killed at any change, or between two entries."""
        first, last = self.chance.choice(SPANS)
        dock = replace(self.dock, first_month=first, last_month=last)
        if killed:
            at, among = self.chance.choice([(self.chance.randrange(12), ""), (self.chance.randrange(3), ENTRY)])
            dock = replace(dock, lake=DyingStore(lake_of(dock).root, at, among, self.chance))
        try:
            land.land(dock)
        except Crash:
            assert killed
        for name in self._entered_now():
            minutes, sold = self.there[name]
            self.counting[name] = (minutes, {n: of for n, of in sold.items() if first <= of[0] <= last})

    def _entered_now(self) -> Iterator[str]:
        entries = set(lake_of(self.dock).path(ENTRY).rglob("*.json"))
        for entry in sorted(entries - self.entered):
            told = json.loads(entry.read_text())
            assert told["status"] == "landed"
            yield Path(told["file"]).stem
        self.entered = entries

    def expected(self) -> dict[str, list[tuple[str, int]]]:
        """Of each transaction what the newest file has, by month."""
        oldest_first = sorted(self.counting.items(), key=lambda each: (each[1][0], each[0]))
        merged = {number: of for _, (_, sold) in oldest_first for number, of in sold.items()}
        found: dict[str, list[tuple[str, int]]] = {}
        for number, (month, quantity) in sorted(merged.items()):
            found.setdefault(month, []).append((number, quantity))
        return dict(sorted(found.items()))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_any_history_comes_to_what_must_count(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each run, also one that was killed."""
    chance = random.Random(seed)
    monkeypatch.setattr(land, "BATCH_FILES", chance.choice([1, 2, 500]))
    monkeypatch.setattr(index, "MOST_FILES", chance.choice([1, 2, 50]))
    world = World(replace(dock_at(tmp_path), max_rejected_share=1), chance)
    for _ in range(STEPS):
        step = chance.choice([world.drop] * 5 + [world.delete] + [None] * 5)
        if step:
            step()
        else:
            world.land(killed=chance.random() < 0.4)
            assert everything(lake_of(world.dock)) == world.expected()
    world.land(killed=False)
    assert everything(lake_of(world.dock)) == world.expected()
