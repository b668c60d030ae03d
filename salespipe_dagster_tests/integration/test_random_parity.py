"""Random inputs: every table on Sail and on Apache Spark, from the same files, in one process.

Both are Spark Connect servers to this process, so that hypothesis can shrink what they differ in.
"""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from pyspark.sql import DataFrame

from salespipe_dagster_tests.random_rows import contract_of, inputs_of, rows_of
from salespipe_dagster_tests.support import Rows, write_parquet
from salespipe_spark.contract import Contract
from salespipe_spark.engine import FAILURES, Engine
from salespipe_spark.lake import audit
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.tables import Table, tables

MADE = [table for table in tables().values() if table.transform]
REFUSED = "refused"
SETTINGS = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)


@pytest.fixture(scope="module")
def both(engine: Engine, apache: Engine) -> tuple[Engine, Engine]:
    return engine, apache


def given_to(engine: Engine, contract: Contract, file: Path, rows: Rows) -> DataFrame:
    return engine.read([str(write_parquet(file, arrow_schema(contract), rows))], contract.ddl)


def answer(frame: DataFrame) -> tuple[list[tuple[str, str]], list[str]] | str:
    """The columns with their types, and the rows in any order; or that the engine refused to answer."""
    try:
        found = frame.toArrow()
    except FAILURES as error:
        note(str(error)[:500])
        return REFUSED
    columns = [(field.name, field.dataType.simpleString()) for field in frame.schema]
    return columns, sorted(repr(tuple(row.values())) for row in found.to_pylist())


@pytest.mark.parametrize("table", MADE, ids=lambda table: table.name)
def test_engines_make_the_same_rows_of_any_inputs(both: tuple[Engine, Engine], table: Table, tmp_path: Path) -> None:
    """NULLs, blanks, unicode, numbers and dates at their ends, repeated keys, orphans: all cells, or both refuse."""
    answered: list[bool] = []

    @SETTINGS
    @given(inputs_of(table))
    def holds(rows: dict[str, Rows]) -> None:
        answers: list[Any] = []
        for engine in both:
            frames = {
                name: given_to(engine, contract_of(table, name), tmp_path / f"{name}.parquet", rows[name])
                for name in rows
            }
            assert table.transform is not None
            answers.append(answer(table.transform(**frames)))
        sail, apache = answers
        answered.append(apache != REFUSED)
        assert sail == apache

    holds()
    assert sum(answered) > len(answered) / 2, "most examples were refused, so that little was compared"


@pytest.mark.parametrize("table", tables().values(), ids=lambda table: table.name)
def test_engines_count_the_same_figures_of_any_rows(both: tuple[Engine, Engine], table: Table, tmp_path: Path) -> None:
    """Digests, sums, NULLs, keys and dates: what an audit compares, and what tells whether a month changed.

    Sail counts them by one query and Spark by two.
    """
    answered: list[bool] = []

    @settings(SETTINGS, max_examples=3)
    @given(rows_of(table.contract))
    def holds(rows: Rows) -> None:
        found: list[Any] = []
        for engine in both:
            frame = given_to(engine, table.contract, tmp_path / f"{table.name}.parquet", rows)
            try:
                found.append(audit.figures(frame, table.contract, keys_apart=engine.keys_apart))
            except FAILURES:
                found.append(REFUSED)
        answered.append(found[1] != REFUSED)
        assert found[0] == found[1]

    holds()
    assert any(answered), "every example was refused, so that nothing was compared"
