"""No transform steps into a trap of an engine that its source shows, and each trap is one that would be found."""

from pathlib import Path

import pytest

import salespipe_spark
from salespipe_dagster_tests.traps import FUNCTIONS, METHODS, TEXTS, faults
from salespipe_spark.tables import LAYERS

PACKAGE = Path(salespipe_spark.__file__).parent
TRANSFORMS = sorted(file for layer in LAYERS for file in (PACKAGE / layer).glob("*.py"))

STEPPED_INTO = {
    **{f"frame.{name}()": f".{name}" for name in METHODS},
    **{f'F.{name}("x")': f"F.{name}" for name in FUNCTIONS},
    **{f'F.expr("{name}(x)")': f"F.{name}" for name in FUNCTIONS},
    'frame.orderBy("x")': ".orderBy",
    'frame.where("_metadata.file_name IS NULL")': "_metadata",
    'session.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")': "partitionOverwriteMode",
    'reader.option("basePath", "x")': "basePath",
    'session.sql("SELECT x FROM y QUALIFY z = 1")': "QUALIFY",
    'session.sql("SELECT x FROM y GROUP BY ALL")': "GROUP BY ALL",
    'session.sql("SELECT x FROM y INTERSECT ALL SELECT z FROM y")': "INTERSECT ALL",
    'F.expr("sum(x) OVER (ORDER BY d RANGE BETWEEN 31 PRECEDING AND CURRENT ROW)")': "RANGE BETWEEN",
    'F.expr("sum(x) OVER (PARTITION BY c ORDER BY d)")': "one of RANGE",
    'F.regexp_extract("x", "(?<=a)b", 0)': "look behind",
    'F.sequence("first", "last")': "F.sequence of columns as they are",
    'F.col("revenue") / F.col("orders")': "/",
    'F.expr("revenue / orders")': "division of decimals",
    'F.expr("sum(revenue)/nullif(orders, 0)")': "division of decimals",
    'F.count_distinct("x", "y")': "F.count_distinct of several",
    'F.when(F.col("x") > 0, F.col("y")).otherwise(0)': ".otherwise of a bare value",
    "one.unionByName(other, allowMissingColumns=True)": "allowMissingColumns",
    'one.join(other, on="x", how="right_outer")': "a right join",
    'F.col("x").try_cast("int")': ".try_cast: it came with Spark 4.0",
    'F.try_mod("x", "y")': "F.try_mod: it came with Spark 4.0",
    'F.expr("try_mod(x, y)")': "F.try_mod: it came with Spark 4.0",
    'frame.lateralJoin(other, how="left")': ".lateralJoin: it came with Spark 4.0",
}


@pytest.mark.parametrize("file", TRANSFORMS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_transform_steps_into_no_trap(file: Path) -> None:
    assert faults(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("code", STEPPED_INTO)
def test_trap_that_is_stepped_into_is_found(code: str) -> None:
    found = [each for each in faults(f"def table(frame):\n    return {code}\n") if STEPPED_INTO[code] in each]
    assert found
    assert all(each.startswith("line 2: ") for each in found)


@pytest.mark.parametrize(
    "code", ['ZERO = F.lit("0")', 'PLACE = Window.partitionBy("x")', 'def table(zero=F.lit("0")):\n    return zero']
)
def test_expression_that_is_made_at_import_is_found(code: str) -> None:
    """An import would start an engine, or fail for want of one."""
    assert "at import" in faults(code)[0]


def test_what_is_allowed_is_no_fault() -> None:
    """The same words where they mean something else."""
    code = '''
SUMS = Column("x", Type.MONEY, "Sums / counts.")
def average(amount, count):
    """Sums / counts; see _metadata."""
    order = Window.partitionBy("x").orderBy(F.col("y").desc())
    some = F.coalesce(F.col("x"), F.lit("0").cast("decimal(18,2)"))
    running = F.expr("sum(x) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)")
    return F.col(amount).cast("decimal(28,8)") / F.col(count).cast("decimal(10,0)")
'''
    assert faults(code) == []


def test_every_pattern_is_tried() -> None:
    """Each kind of trap has a line above that steps into it."""
    texts = [reason for code in STEPPED_INTO for reason in faults(code)]
    assert all(any(why in text for text in texts) for why in TEXTS.values())


def test_only_engines_write_and_read() -> None:
    """The rest of the package leaves both to them: a schema is always given, and a path is always a fresh one."""
    others = [
        file for file in PACKAGE.rglob("*.py") if file not in TRANSFORMS and file.stem not in ("engine", "apache")
    ]
    traps = (".parquet:", ".writeTo:", ".saveAsTable:", ".insertInto:", ".cache:", ".persist:")
    found = {
        file.name: [f for f in faults(file.read_text(encoding="utf-8")) if any(t in f for t in traps)]
        for file in others
    }
    assert {name: named for name, named in found.items() if named} == {}
