"""Transforms, audit and publish on both engines, each beside the same tables written by hand for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from salespipe_dagster_tests.bench import report
from salespipe_dagster_tests.bench.compare import differences
from salespipe_dagster_tests.bench.engines import SAIL, SPARK
from salespipe_dagster_tests.bench.measure import PACKAGE, in_process, quickest
from salespipe_dagster_tests.bench.report import Line
from salespipe_dagster_tests.bench.shop import Shop
from salespipe_dagster_tests.bench.stages import years

PHASES = ("stage", "audit", "publish")


@dataclass
class BothEngines:
    """The measurements of one shop; each is taken `repeat` times, and the quickest counts."""

    shop: Shop
    folder: Path
    repeat: int
    lines: list[Line] = field(default_factory=list[Line])
    differing: list[str] = field(default_factory=list[str])

    def take(self) -> None:
        """Make the shop, take all of them, and compare what each made."""
        shop, lake = self.shop, str(self._at("lake"))
        span = (shop.first_month, shop.last_month)
        days = [day.isoformat() for day in years(*span)]
        in_process(f"{PACKAGE}.made", lake, str(shop.lines), *span, str(shop.customers))

        def by_hand(module: str, *master: str) -> Callable[[str], dict[str, Any]]:
            return lambda target: in_process(f"{PACKAGE}.{module}", lake, target, *days, *master)

        def ours(engine: str) -> Callable[[str], dict[str, Any]]:
            return lambda target: in_process(f"{PACKAGE}.stages", "transforms", lake, *span, target, engine)

        best = self._best({"by-duckdb": by_hand("floor_duckdb"), "on-sail": ours(SAIL)})
        self.lines += self._beside("Sail", best["on-sail"], "DuckDB", best["by-duckdb"], report.RATIO, report.STAGED)
        best = self._best({"by-spark": by_hand("floor_spark", SPARK), "on-spark": ours(SPARK)})
        self.lines += self._beside("Spark", best["on-spark"], "Spark by hand", best["by-spark"], report.ON_SPARK, None)
        for made, floor in (("on-sail", "by-duckdb"), ("on-spark", "by-spark"), ("on-spark", "by-duckdb")):
            found = differences(self._at(made), self._at(floor), self._at("lake"))
            self.differing += [f"{shop.lines:,} lines, {made} and {floor}: {line}" for line in found]

    def _beside(
        self, name: str, ours: dict[str, Any], whose: str, floor: dict[str, Any], most: float, most_staged: float | None
    ) -> list[Line]:
        made: dict[str, dict[str, float]] = ours["tables"]
        seconds = {phase: sum(each[phase] for each in made.values()) for phase in PHASES}
        rest = seconds["audit"] + seconds["publish"]
        memory = {"growth": ours["growth"], "peak": ours["peak"]}
        title = f"{name}: transforms, audit and publish, beside {whose}"
        least, stage = floor["seconds"], seconds["stage"]
        return [
            Line(title, ours["seconds"], self.shop.lines, least, most_ratio=most, **memory),
            Line("  stage alone", stage, None, least, most_ratio=most_staged),
            Line("  audit", seconds["audit"]),
            Line("  publish", seconds["publish"]),
            Line("  audit and publish, beside stage", rest, None, stage, most_ratio=report.AUDITED),
            *(Line(f"  {table}", sum(made[table].values()), None, floor["tables"][table]) for table in made),
            Line("  the session's start", ours["started"]),
            Line("  a trivial step in it afterwards", ours["again"], most_seconds=report.AGAIN),
        ]

    def _best(self, sides: dict[str, Callable[[str], dict[str, Any]]]) -> dict[str, dict[str, Any]]:
        def taken(name: str) -> Callable[[int], dict[str, Any]]:
            return lambda turn: sides[name](str(self._at(name, turn)))

        return quickest(self.shop, self.repeat, {name: taken(name) for name in sides})

    def _at(self, name: str, turn: int = 0) -> Path:
        """A place of this shop; of several turns the first one's has the plain name."""
        return self.folder / f"spark-{self.shop.lines}-{name}{f'-{turn}' if turn else ''}"
