"""Two landings at once, where no lock keeps them apart: each key is known to one of them at least."""

from dataclasses import replace
from pathlib import Path

from salespipe_dagster.landing import land
from salespipe_dagster.landing.land import Dock
from salespipe_dagster_tests.landing.dropping import dock_at, drop_sales, everything, files_of, lake_of, sale_line
from salespipe_dagster_tests.landing.faulty import SharedStore


def shared(dock: Dock) -> Dock:
    return replace(dock, lake=SharedStore(lake_of(dock).root))


def test_of_two_that_land_one_file_the_keys_stay(tmp_path: Path) -> None:
    """Each may take the keys that the other has just noted for what a killed landing left."""
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-01-31")])
    land.land(replace(dock, lake=SharedStore(lake_of(dock).root, lambda: land.land(shared(dock)))))
    drop_sales(files_of(dock), "b", [sale_line("T", "2024-02-01", 2)], minutes=1)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-02": [("T", 2)]}


def test_of_one_that_comes_between_with_another_file_the_keys_stay(tmp_path: Path) -> None:
    dock = dock_at(tmp_path)
    drop_sales(files_of(dock), "a", [sale_line("T", "2024-01-31")])

    def between() -> None:
        drop_sales(files_of(dock), "b", [sale_line("T0", "2024-01-31")], minutes=1)
        land.land(shared(dock))

    land.land(replace(dock, lake=SharedStore(lake_of(dock).root, between)))
    drop_sales(files_of(dock), "c", [sale_line("T", "2024-02-01", 2)], minutes=1)
    land.land(dock)
    assert everything(lake_of(dock)) == {"2024-01": [("T0", 1)], "2024-02": [("T", 2)]}
