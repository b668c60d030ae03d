"""The audit: each check fails on its own trap and on nothing else; what a digest sees."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from salespipe_dagster_tests.support import Rows, StandInEngine, frame, write_parquet
from salespipe_spark.contract import Column, Contract, Type
from salespipe_spark.engine import Engine
from salespipe_spark.lake import audit
from salespipe_spark.lake.audit import Check
from salespipe_spark.lake.lake import Lake
from salespipe_spark.lake.receipt import Figures
from salespipe_spark.lake.schema import arrow_schema
from salespipe_spark.lake.staged import Opening, Staged, staged_file
from salespipe_spark.tables import Table

SALES = Contract(
    grain="One row per sale.",
    key=("shop", "number"),
    month="day",
    columns=(
        Column("shop", Type.STRING, "The shop."),
        Column("number", Type.INT, "The sale's number within its shop."),
        Column("day", Type.DATE, "The day."),
        Column("amount", Type.MONEY, "The amount."),
        Column("colour", Type.STRING, "The colour.", nullable=True),
        Column("size", Type.STRING, "The size.", nullable=True),
    ),
)
TABLE = Table("core", "sales", SALES, "Sales of a test.", "c0de")
SCHEMA = arrow_schema(SALES)
ALL_CHECKS = ["schema", "rows_written", "parts_owned", "keys_unique", "not_null"]


def sale(
    number: int | None = 1,
    shop: str | None = "A",
    day: date | None = date(2024, 1, 15),
    amount: str | None = "10.00",
    colour: str | None = "red",
    size: str | None = "L",
) -> tuple[Any, ...]:
    return (shop, number, day, None if amount is None else Decimal(amount), colour, size)


def sales(spark: SparkSession, *rows: tuple[Any, ...]) -> DataFrame:
    return frame(spark, SALES.ddl, list(rows))


def digest(spark: SparkSession, *rows: tuple[Any, ...]) -> str:
    return audit.figures(sales(spark, *rows), SALES)["2024-01"].digest


@pytest.fixture
def folder(lake: Lake) -> Iterator[Path]:
    """A staging folder of the lake."""
    with lake.staging() as folder:
        yield folder


@pytest.fixture(params=[None, 1], ids=["at_once", "part_by_part"])
def audited(
    request: pytest.FixtureRequest, lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Staged]:
    """What the audit says of rows that lie staged by month, for a run that owns 2024-01 and 2024-02.

    Counted all at once, and part by part, as those of a larger table are.
    """
    if request.param:
        monkeypatch.setattr(type(lake.engine), "counted_at_once", request.param)

    def audited(by_month: dict[str, Rows], schema: pa.Schema = SCHEMA) -> Staged:
        for month, rows in by_month.items():
            write_parquet(staged_file(folder, TABLE, month), schema, rows)
        return lake.audit(lake.open(TABLE, ["2024-01", "2024-02"]), folder / "core" / "sales")

    return audited


def failed(staged: Staged) -> list[str]:
    return [check.name for check in staged.checks if not check.passed]


def check_of(staged: Staged, name: str) -> Check:
    return next(check for check in staged.checks if check.name == name)


class TestGoodRows:
    def test_all_checks_pass(self, audited: Callable[..., Staged]) -> None:
        staged = audited({"2024-01": [sale(1), sale(2)], "2024-02": [sale(1, day=date(2024, 2, 29), shop="B")]})
        assert [check.name for check in staged.checks] == ALL_CHECKS
        assert staged.passed

    def test_figures_are_counted_by_month(self, audited: Callable[..., Staged]) -> None:
        january = [
            sale(1, amount="10.01", day=date(2024, 1, 31)),
            sale(2, amount="0.02", day=date(2024, 1, 2)),
            sale(3, amount="-5.00", colour=None),
        ]
        found = audited({"2024-01": january, "2024-02": [sale(1, day=date(2024, 2, 29))]}).figures
        assert replace(found["2024-01"], digest="") == Figures(
            rows=3,
            sums={"amount": Decimal("5.03")},
            key_duplicates=0,
            nulls={},
            first_date="2024-01-02",
            last_date="2024-01-31",
            digest="",
        )
        assert (found["2024-02"].rows, found["2024-02"].first_date) == (1, "2024-02-29")

    def test_months_are_in_order(self, spark: SparkSession) -> None:
        """An engine returns groups as they come: messages would name the months in another order each time."""
        days = [date(2024 - n // 12, 12 - n % 12, 1) for n in range(24)]
        found = audit.figures(sales(spark, *(sale(day=day) for day in days)), SALES)
        assert list(found) == [f"{day:%Y-%m}" for day in reversed(days)]

    def test_month_without_rows_has_figures_too(self, audited: Callable[..., Staged]) -> None:
        staged = audited({"2024-01": [sale()]})
        february = replace(staged.figures["2024-02"], digest="")
        assert february == Figures(0, {"amount": Decimal(0)}, 0, {}, "", "", "")
        assert staged.passed

    def test_key_may_return_in_another_month(self, audited: Callable[..., Staged]) -> None:
        """A month is audited by itself; keys over all months are a check of their own."""
        assert audited({"2024-01": [sale(1)], "2024-02": [sale(1, day=date(2024, 2, 1))]}).passed

    def test_part_of_a_key_may_return(self, audited: Callable[..., Staged]) -> None:
        assert audited({"2024-01": [sale(1, shop="A"), sale(1, shop="B"), sale(2, shop="A")]}).passed

    def test_column_that_may_be_null_may_be_null(self, audited: Callable[..., Staged]) -> None:
        assert audited({"2024-01": [sale(colour=None, size=None)]}).passed


class TestSchema:
    """Spark fills a column that a file lacks with NULL and drops one that it has too many: neither may pass."""

    def refused(self, audited: Callable[..., Staged], schema: pa.Schema, rows: Rows) -> str:
        staged = audited({"2024-01": rows}, schema)
        assert failed(staged) == ["schema"]
        assert staged.figures == {}
        return staged.checks[0].actual

    def test_missing_column_is_named(self, audited: Callable[..., Staged]) -> None:
        assert self.refused(audited, SCHEMA.remove(5), [sale()[:5]]) == "size string is missing"

    def test_extra_column_is_named(self, audited: Callable[..., Staged]) -> None:
        schema = SCHEMA.append(pa.field("discount", pa.float64()))
        assert self.refused(audited, schema, [(*sale(), 0.5)]) == "discount double is not in the contract"

    def test_month_of_the_staging_folder_may_not_be_a_column(self, audited: Callable[..., Staged]) -> None:
        schema = SCHEMA.append(pa.field("salespipe_part", pa.string()))
        said = self.refused(audited, schema, [(*sale(), "2024-01")])
        assert said == "salespipe_part string is not in the contract"

    def test_other_order_is_refused(self, audited: Callable[..., Staged]) -> None:
        """By position, colour and size would change places and all types agree."""
        schema = pa.schema([SCHEMA.field(n) for n in ("shop", "number", "day", "amount", "size", "colour")])
        assert self.refused(audited, schema, [sale()]) == "the columns are in another order"

    @pytest.mark.parametrize(
        ("column", "other", "value", "said"),
        [
            (1, pa.int64(), 1, "number is int64, not int32"),
            (2, pa.timestamp("us"), datetime(2024, 1, 15, tzinfo=UTC), "day is timestamp[us], not date32[day]"),
            (3, pa.float64(), 10.0, "amount is double, not decimal128(18, 2)"),
            (3, pa.decimal128(10, 2), Decimal("10.00"), "amount is decimal128(10, 2), not decimal128(18, 2)"),
            (3, pa.decimal128(18, 4), Decimal("10.00"), "amount is decimal128(18, 4), not decimal128(18, 2)"),
            (0, pa.binary(), b"A", "shop is binary, not string"),
        ],
        ids=["long", "timestamp", "float", "narrow", "scale", "binary"],
    )
    def test_wrong_type_is_named(
        self, audited: Callable[..., Staged], column: int, other: pa.DataType, value: Any, said: str
    ) -> None:
        row = list(sale())
        row[column] = value
        schema = SCHEMA.set(column, SCHEMA.field(column).with_type(other))
        assert self.refused(audited, schema, [tuple(row)]) == said

    def test_one_wrong_file_among_many_is_found(self, lake: Lake, folder: Path, audited: Callable[..., Staged]) -> None:
        good = [sale(n, day=date(2024, 2, 1)) for n in range(3)]
        write_parquet(staged_file(folder, TABLE, "2024-02"), SCHEMA, good)
        assert self.refused(audited, SCHEMA.remove(0), [sale()[1:]]) == "shop string is missing"

    def test_columns_that_are_required_in_the_file_pass(self, audited: Callable[..., Staged]) -> None:
        """Engines set nullability differently; NULLs are counted in the data."""
        required = pa.schema([field.with_nullable(False) for field in SCHEMA])
        assert audited({"2024-01": [sale()]}, required).passed


class TestKeys:
    def test_key_that_repeats_within_a_month_is_shown(self, audited: Callable[..., Staged]) -> None:
        rows = [sale(1), sale(2), sale(2, amount="11.00"), sale(2, amount="12.00")]
        staged = audited({"2024-01": rows, "2024-02": [sale(2, day=date(2024, 2, 1))]})
        assert failed(staged) == ["keys_unique"]
        check = check_of(staged, "keys_unique")
        assert (check.expected, check.actual, check.parts) == ("unique (shop, number)", "2 repeated", ["2024-01"])
        assert check.sample == [{"part": "2024-01", "shop": "A", "number": 2, "rows": 3}]
        assert staged.figures["2024-01"].key_duplicates == 2

    def test_row_that_is_there_twice_repeats_its_key(self, audited: Callable[..., Staged]) -> None:
        """What a task that was tried again writes twice."""
        assert failed(audited({"2024-01": [sale(1), sale(1)]})) == ["keys_unique"]

    def test_key_is_the_columns_not_their_text(self, audited: Callable[..., Staged]) -> None:
        """Hashed as one text, shop A1 number 1 and shop A number 11 would be one key."""
        staged = audited({"2024-01": [sale(1, shop="A1"), sale(11, shop="A")]})
        assert staged.passed
        assert staged.figures["2024-01"].key_duplicates == 0


class TestNulls:
    @pytest.mark.parametrize(
        ("row", "column"),
        [(sale(None), "number"), (sale(shop=None), "shop"), (sale(amount=None), "amount")],
        ids=["number", "shop", "amount"],
    )
    def test_null_in_a_column_that_promises_a_value_is_shown(
        self, audited: Callable[..., Staged], row: tuple[Any, ...], column: str
    ) -> None:
        staged = audited({"2024-01": [row, sale(2)], "2024-02": [sale(3, day=date(2024, 2, 1))]})
        assert failed(staged) == ["not_null"]
        check = check_of(staged, "not_null")
        assert (check.actual, check.parts) == (f"{column}: 1", ["2024-01"])
        assert [set(found) for found in check.sample] == [{*TABLE.contract.key, column}]  # no personal data
        assert check.sample[0][column] is None

    def test_nulls_are_counted_by_column_over_all_months(self, audited: Callable[..., Staged]) -> None:
        january = [sale(1, amount=None), sale(2, amount=None, shop=None)]
        staged = audited({"2024-01": january, "2024-02": [sale(1, amount=None, day=date(2024, 2, 1))]})
        check = check_of(staged, "not_null")
        assert (check.actual, check.parts) == ("amount: 3, shop: 1", ["2024-01", "2024-02"])

    def test_empty_text_is_not_null(self, audited: Callable[..., Staged]) -> None:
        assert audited({"2024-01": [sale(shop="")]}).passed


class TestMonths:
    @pytest.mark.parametrize("day", [date(2023, 12, 31), date(2024, 3, 1), date(2025, 1, 15)])
    def test_row_outside_the_months_of_the_run_is_shown(self, audited: Callable[..., Staged], day: date) -> None:
        """Published under a month that the run does not own, it would replace that month by a single row."""
        staged = audited({"2024-01": [sale(1), sale(2, day=day)]})
        assert failed(staged) == ["parts_owned"]
        check = check_of(staged, "parts_owned")
        assert (check.actual, check.parts) == (f"{day:%Y-%m}: 1 rows", [f"{day:%Y-%m}"])
        assert [row["day"] for row in check.sample] == [day]

    def test_row_without_a_month_is_shown(self, audited: Callable[..., Staged]) -> None:
        """NULL is equal to no month: a filter for the run's months loses the row, and its money."""
        staged = audited({"2024-01": [sale(1), sale(2, day=None)]})
        assert failed(staged) == ["parts_owned", "not_null"]
        check = check_of(staged, "parts_owned")
        assert (check.actual, check.parts) == ("None: 1 rows", ["None"])
        assert [row["number"] for row in check.sample] == [2]

    def test_row_in_the_folder_of_another_month_of_the_run_is_found(self, audited: Callable[..., Staged]) -> None:
        """A folder becomes a month's object: February would hold a day of January, and its receipt would not say so."""
        staged = audited({"2024-01": [sale(1)], "2024-02": [sale(2), sale(3, day=date(2024, 2, 1))]})
        assert not staged.passed

    def test_at_most_five_rows_are_shown(self, audited: Callable[..., Staged]) -> None:
        staged = audited({"2024-01": [sale(n, day=date(2024, 3, 1)) for n in range(50)]})
        check = check_of(staged, "parts_owned")
        assert (check.actual, len(check.sample)) == ("2024-03: 50 rows", 5)


class ForgetfulEngine(StandInEngine):
    """An engine that reads all files but the last: what Sail does with a path that it does not find."""

    def read(self, files: list[str], ddl: str) -> DataFrame:
        return super().read(files[:-1], ddl)


def test_rows_that_the_engine_did_not_read_are_missed(tmp_path: Path, spark: SparkSession) -> None:
    """Figures of half the rows agree with themselves: only the files' footers know better."""
    lake = Lake(tmp_path / "a lake", ForgetfulEngine(spark))
    with lake.staging() as folder:
        for month, day in (("2024-01", date(2024, 1, 1)), ("2024-02", date(2024, 2, 1))):
            write_parquet(staged_file(folder, TABLE, month), SCHEMA, [sale(1, day=day), sale(2, day=day)])
        staged = lake.audit(lake.open(TABLE, ["2024-01", "2024-02"]), folder / "core" / "sales")
    assert failed(staged) == ["rows_written"]
    check = check_of(staged, "rows_written")
    assert (check.expected, check.actual) == ("4 rows in the files", "2 rows read")


class TestBalance:
    CONTRACT = replace(SALES, balances=(("rows", "tills.rows"), ("amount", "tills.taken")))

    @staticmethod
    def figures(rows: int, **sums: str) -> Figures:
        return Figures(rows, {name: Decimal(value) for name, value in sums.items()}, 0, {}, "", "", "")

    def check(self, found: dict[str, Figures], tills: dict[str, Figures]) -> Check:
        def given(table: str, part: str, figure: str) -> Decimal:
            assert table == "tills"
            return tills[part].figure(figure)

        return audit.balance(found, self.CONTRACT, given)

    def test_equal_figures_pass_however_many_zeros_they_are_written_with(self) -> None:
        check = self.check(
            {"2024-01": self.figures(2, amount="10.5"), "2024-02": self.figures(0, amount="0")},
            {"2024-01": self.figures(2, taken="10.50"), "2024-02": self.figures(0, taken="0.00")},
        )
        assert (check.passed, check.actual, check.parts) == (True, "equal in 2 part(s)", [])

    def test_one_cent_is_named_with_its_month(self) -> None:
        check = self.check(
            {"2024-01": self.figures(2, amount="10.50"), "2024-02": self.figures(1, amount="7.01")},
            {"2024-01": self.figures(2, taken="10.50"), "2024-02": self.figures(1, taken="7.00")},
        )
        assert (check.passed, check.parts) == (False, ["2024-02"])
        assert check.actual == "2024-02: amount 7.01 is not tills.taken 7.00"
        assert check.expected == "rows = tills.rows, amount = tills.taken"

    def test_month_that_lost_all_its_rows_does_not_balance(self) -> None:
        check = self.check({"2024-01": self.figures(0, amount="0")}, {"2024-01": self.figures(3, taken="0.00")})
        assert (check.passed, check.actual) == (False, "2024-01: rows 0 is not tills.rows 3")

    def test_errors_that_cancel_each_other_between_months_do_not_balance(self) -> None:
        """The total of the range is right: a line moved from one month to the other."""
        check = self.check(
            {"2024-01": self.figures(1, amount="1.00"), "2024-02": self.figures(1, amount="3.00")},
            {"2024-01": self.figures(1, taken="2.00"), "2024-02": self.figures(1, taken="2.00")},
        )
        assert (check.passed, check.parts) == (False, ["2024-01", "2024-02"])


class TestDigest:
    """A month is replaced when its digest changes: what the digest does not see is never published."""

    def test_order_of_the_rows_does_not_matter(self, spark: SparkSession) -> None:
        rows = [sale(n, amount=f"{n}.00") for n in range(20)]
        assert digest(spark, *rows) == digest(spark, *rows[::-1])

    @pytest.mark.parametrize(
        "changed",
        [
            sale(9),
            sale(shop="B"),
            sale(day=date(2024, 1, 16)),
            sale(amount="10.01"),
            sale(amount="-10.00"),
            sale(colour="Red"),
            sale(colour="red "),
            sale(size="M"),
        ],
        ids=["number", "shop", "day", "cent", "sign", "case", "blank", "last column"],
    )
    def test_change_of_one_cell_is_seen(self, spark: SparkSession, changed: tuple[Any, ...]) -> None:
        others = [sale(n) for n in range(2, 6)]
        assert digest(spark, sale(), *others) != digest(spark, changed, *others)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (sale(colour=None), sale(colour="")),
            (sale(colour=None, size="a"), sale(colour="a", size=None)),
            (sale(colour="", size=None), sale(colour=None, size="")),
            (sale(colour=None, size=None), sale(colour="", size="")),
            (sale(colour="ab", size="c"), sale(colour="a", size="bc")),
            (sale(colour="a", size="b"), sale(colour="b", size="a")),
        ],
        ids=["NULL and empty", "NULL moved", "empty moved", "all NULL", "shifted letters", "swapped"],
    )
    def test_null_empty_and_neighbouring_columns_are_told_apart(
        self, spark: SparkSession, one: tuple[Any, ...], other: tuple[Any, ...]
    ) -> None:
        """xxhash64 skips a NULL: (NULL, 'a') and ('a', NULL) have one hash."""
        assert digest(spark, one) != digest(spark, other)

    def test_values_swapped_between_rows_are_seen(self, spark: SparkSession) -> None:
        """The sum of every column stays the same."""
        before = [sale(1, amount="1.00"), sale(2, amount="2.00")]
        after = [sale(1, amount="2.00"), sale(2, amount="1.00")]
        assert digest(spark, *before) != digest(spark, *after)

    def test_every_copy_of_a_row_counts(self, spark: SparkSession) -> None:
        """Combined by XOR, two copies of a row are as good as none."""
        copies = [digest(spark, *[sale()] * n) for n in (1, 2, 3)]
        pairs = [digest(spark, sale(1), sale(1)), digest(spark, sale(2), sale(2))]
        assert len({*copies, *pairs}) == 4  # two copies of sale 1 are in both lists

    def test_many_rows_do_not_overflow_it(self, spark: SparkSession) -> None:
        """A hash is as wide as BIGINT: their sum is not, and fails or wraps."""
        rows = [sale(n) for n in range(1000)]
        assert digest(spark, *rows) == digest(spark, *rows[500:], *rows[:500])
        assert digest(spark, *rows) != digest(spark, *rows[:-1], sale(1000))

    def test_rows_in_one_file_or_many_have_one_digest(self, engine: Engine, tmp_path: Path) -> None:
        """Sail writes as many files as it has tasks: a month would be replaced on another machine."""
        rows = [sale(n, colour=None if n % 2 else "red") for n in range(9)]
        one = [write_parquet(tmp_path / "one.parquet", SCHEMA, rows)]
        many = [write_parquet(tmp_path / f"many-{n}.parquet", SCHEMA, rows[n::3]) for n in range(3)]
        found = [
            audit.figures(engine.read([str(f) for f in files], SALES.ddl), SALES)["2024-01"] for files in (one, many)
        ]
        assert found[0] == found[1]

    def test_month_has_the_digest_of_its_own_rows(self, spark: SparkSession) -> None:
        january = [sale(1), sale(2, amount="3.00")]
        both = audit.figures(sales(spark, *january, sale(1, day=date(2024, 2, 1))), SALES)
        assert both["2024-01"].digest == digest(spark, *january)

    def test_empty_parts_of_different_columns_differ(self) -> None:
        """An empty month is one object with the full schema: it is replaced when the schema changes."""
        one_less = replace(SALES, columns=SALES.columns[:-1])
        wider = replace(SALES, columns=(*SALES.columns[:-1], Column("size", Type.INT, "", nullable=True)))
        digests = {audit.no_rows(contract).digest for contract in (SALES, one_less, wider)}
        assert len(digests) == 3

    def test_empty_part_is_not_a_part_of_rows(self, spark: SparkSession) -> None:
        assert audit.no_rows(SALES).digest != digest(spark, sale())


@pytest.mark.parametrize("apart", [True, False])
def test_figures_are_the_same_by_one_query_and_by_two(spark: SparkSession, apart: bool) -> None:
    february = date(2024, 2, 29)
    rows = sales(spark, sale(1), sale(1), sale(2, amount=None), sale(1, day=february), sale(shop=None, day=None))
    found = audit.figures(rows, SALES, keys_apart=apart)
    assert {part: (f.rows, f.key_duplicates, f.nulls, f.last_date) for part, f in found.items()} == {
        "2024-01": (3, 1, {"amount": 1}, "2024-01-15"),
        "2024-02": (1, 0, {}, "2024-02-29"),
        "None": (1, 0, {"shop": 1, "day": 1}, ""),
    }


class Reader(StandInEngine):
    """An engine that notes how many files each of its queries counts, and may count at once so many bytes of them."""

    def __init__(self, session: SparkSession, at_once: int, counter: Engine | None = None) -> None:
        super().__init__(session)
        self._counter = counter
        self.counted_at_once = at_once  # pyright: ignore[reportAttributeAccessIssue]
        self.queries: list[int] = []

    def read(self, files: list[str], ddl: str) -> DataFrame:
        self.queries.append(len(files))
        return super().read(files, ddl)


class TestWhoCounts:
    """What one engine staged, another may count, so many bytes at a time."""

    MONTHS: ClassVar[list[str]] = [f"2024-{number:02}" for number in range(1, 7)]

    @pytest.fixture
    def size(self, folder: Path) -> int:
        """The bytes of each of the six months that lie staged."""
        files = [
            write_parquet(staged_file(folder, TABLE, month), SCHEMA, [sale(day=date.fromisoformat(f"{month}-01"))])
            for month in self.MONTHS
        ]
        (size,) = {file.stat().st_size for file in files}
        return size

    def audit(self, lake: Lake, folder: Path, engine: Engine) -> Staged:
        counting = Lake(lake.store, engine)
        return counting.audit(counting.open(TABLE, self.MONTHS), folder / "core" / "sales")

    def test_parts_are_counted_some_at_a_time(self, lake: Lake, spark: SparkSession, folder: Path, size: int) -> None:
        engine = Reader(spark, 4 * size)
        staged = self.audit(lake, folder, engine)
        assert engine.queries == [4, 2]
        assert staged.passed
        assert staged.figures == self.audit(lake, folder, lake.engine).figures
        assert [figures.rows for figures in staged.figures.values()] == [1] * 6

    def test_part_that_is_larger_is_counted_alone(
        self, lake: Lake, spark: SparkSession, folder: Path, size: int
    ) -> None:
        engine = Reader(spark, size - 1)
        assert self.audit(lake, folder, engine).passed
        assert engine.queries == [1] * 6

    def test_other_engine_counts_unless_all_is_too_large_for_it(
        self, lake: Lake, spark: SparkSession, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for total, counted in ((6 * size, ([], [6])), (6 * size - 1, ([6], []))):
            monkeypatch.setattr(Reader, "counted_for_others", total)
            counter = Reader(spark, 100 * size)
            engine = Reader(spark, 100 * size, counter)
            assert self.audit(lake, folder, engine).passed
            assert (engine.queries, counter.queries) == counted

    def test_engine_counts_where_the_other_one_cannot(
        self, lake: Lake, spark: SparkSession, folder: Path, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The credentials that it was given at its start may have run out since."""

        def refused(files: list[str], ddl: str) -> DataFrame:
            raise PySparkException("ExpiredToken")

        counter = Reader(spark, 100 * size)
        monkeypatch.setattr(counter, "read", refused)
        engine = Reader(spark, 100 * size, counter)
        assert self.audit(lake, folder, engine).passed
        assert engine.queries == [6]

    def test_other_engine_counts_unless_a_part_is_too_large_for_it(
        self, lake: Lake, spark: SparkSession, folder: Path, size: int
    ) -> None:
        for at_once, counted in ((size, ([], [1] * 6)), (size - 1, ([6], []))):
            counter = Reader(spark, at_once)
            engine = Reader(spark, 100 * size, counter)
            staged = self.audit(lake, folder, engine)
            assert (staged.passed, staged.engine) == (True, "stand-in")
            assert (engine.queries, counter.queries) == counted

    def test_other_engine_ends_with_its_own(self, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
        ended: list[str] = []
        counter = Reader(spark, 1)
        monkeypatch.setattr(counter, "close", lambda: ended.append("counter"))
        Reader(spark, 1, counter).close()
        assert ended == ["counter"]


class TestSnapshot:
    CONTRACT = replace(SALES, month="")

    def test_all_rows_are_one_part_without_dates(self, spark: SparkSession) -> None:
        rows = sales(spark, sale(1), sale(2, day=date(2024, 2, 1)))
        found = audit.figures(rows, self.CONTRACT)
        assert list(found) == ["snapshot"]
        assert (found["snapshot"].rows, found["snapshot"].first_date, found["snapshot"].last_date) == (2, "", "")

    def test_key_that_repeats_is_found_whatever_the_date(self, spark: SparkSession) -> None:
        rows = sales(spark, sale(1), sale(1, day=date(2024, 2, 1)))
        check = audit.keys_unique(audit.measure(rows, self.CONTRACT, ["snapshot"]), self.CONTRACT)
        assert (check.passed, check.actual) == (False, "1 repeated")


def test_opening_of_a_table_without_inputs_has_none(lake: Lake) -> None:
    opening = lake.open(TABLE, ["2024-01"])
    assert opening == Opening(TABLE, ["2024-01"], {"2024-01": ""}, {})
