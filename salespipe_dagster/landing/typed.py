r"""Texts to types, strictly: the SQL that reads the values of records and says of each what is wrong.

A value is read right where it is written as the database itself would write it; every other spelling is
matched against a pattern before it is cast. A cast alone takes 1e3 and 3.7 for an INT, rounds away decimals,
and reads a date in more ways than anybody writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from salespipe_dagster.landing import moments
from salespipe_dagster.landing.header import in_files
from salespipe_dagster.landing.reasons import Reason
from salespipe_dagster.landing.records import Spoiled
from salespipe_dagster.landing.sql import literal, named, quoted
from salespipe_spark import months as calendar
from salespipe_spark.contract import Column, Contract, Type

DECIMALS = {Type.PRICE: (10, 2), Type.MONEY: (18, 2), Type.AVERAGE: (18, 6)}
INTEGERS = {Type.INT: ("INTEGER", 10), Type.BIGINT: ("BIGINT", 19)}

# Infinity is no date, nor is one before Christ, though the database has both.
_DAYS = "BETWEEN {0} '0001-01-01' AND {0} '9999-12-31'"
_BOUNDS = {
    Type.DATE: _DAYS.format("DATE"),
    Type.INSTANT: _DAYS.format("TIMESTAMP"),
    **dict.fromkeys([*INTEGERS, *DECIMALS], ">= 0"),
}


@dataclass(frozen=True)
class Batch:
    """Some records of a file: those whose values are cut, as a Query reads them, and those that were put aside.

    The rows are the `line` and the `text` of a record, and of each column that the file has `t_<name in files>`:
    its text without blanks around it. `unknown` are the columns that the contract does not know.
    """

    rows: pa.Table
    spoiled: list[Spoiled]
    unknown: list[str]


@dataclass(frozen=True)
class Query:
    """How the rows of a Batch are read, which are the view `records`.

    Attributes:
        contract: of the feed's table.
        names: the columns that the file has.
        first_month, last_month: the months to take, where the table is monthly.
    """

    contract: Contract
    names: Sequence[str]
    first_month: str
    last_month: str

    def values(self) -> str:
        """The query for all records: `line`, `fits`, the values, and `month_number` and `key_hash`, in their order.

        Only what `fits` lands.
        """
        values = ", ".join(f"{_v(column)} AS {quoted(column.name)}" for column in self.contract.columns)
        key = ", ".join(named("v", name) for name in self.contract.key)
        return f"""
            {self._judged}
            SELECT line, fits, {values}, month_number::INTEGER AS month_number, hash({key}) AS key_hash FROM judged"""

    def faults(self) -> str:
        """The query for records that do not fit: `line`, `column`, `reason`, `text`."""
        return f"""
            {self._judged},
            told AS NOT MATERIALIZED (SELECT line, text, {self._problem} AS problem FROM judged WHERE NOT fits)
            SELECT line, problem.bad_column AS "column", problem.reason AS reason, text FROM told"""

    @property
    def _judged(self) -> str:
        dated = dict.fromkeys(in_files(c) for c in self.contract.columns if c.type in (Type.DATE, Type.INSTANT))
        plain, parts, casts = (
            "".join(f", {step(name)}" for name in dated)
            for step in (moments.plain, moments.taken_apart, moments.moment)
        )
        values = ", ".join(f"{self._value(column)} AS {_v(column)}" for column in self.contract.columns)
        month = "0" if not self.contract.month else f"year({self._month}) * 12 + month({self._month}) - 1"
        fits = " AND ".join(self._conditions)
        return f"""
            WITH written AS NOT MATERIALIZED (SELECT line, text, {self._texts} FROM records),
            plain AS NOT MATERIALIZED (SELECT *{plain} FROM written),
            taken_apart AS NOT MATERIALIZED (SELECT *{parts} FROM plain),
            cast_ AS NOT MATERIALIZED (SELECT *{casts} FROM taken_apart),
            valued AS NOT MATERIALIZED (SELECT *, {values} FROM cast_),
            dated AS NOT MATERIALIZED (SELECT *, {month} AS month_number FROM valued),
            judged AS NOT MATERIALIZED (SELECT *, coalesce({fits}, false) AS fits FROM dated)"""

    @property
    def _names(self) -> list[str]:
        """The columns as files name them; two of the contract may be made of one."""
        return list(dict.fromkeys(in_files(column) for column in self.contract.columns))

    @property
    def _month(self) -> str:
        return named("v", self.contract.month)

    @property
    def _texts(self) -> str:
        """Each column's text; NULL where there is nothing."""
        texts = {name: named("t", name) for name in self._names}
        found = {name: f"nullif({text}, '')" if name in self.names else "NULL::VARCHAR" for name, text in texts.items()}
        return ", ".join(f"{found[name]} AS {text}" for name, text in texts.items())

    def _value(self, column: Column) -> str:
        text, moment = named("t", in_files(column)), named("m", in_files(column))
        if column.type in (Type.STRING, Type.TEXT):
            return text
        if column.type is Type.DATE:
            return f"{moment}::DATE"
        if column.type is Type.INSTANT:
            ahead = named("z", in_files(column))
            return f"CASE WHEN {ahead} IS NULL THEN {moment} ELSE {moment} - to_minutes({ahead}) END"
        if column.type in INTEGERS:
            target, _ = INTEGERS[column.type]
            pattern = r"-?\d+(\.0+)?"
        elif column.type in DECIMALS:
            precision, scale = DECIMALS[column.type]
            target, pattern = f"DECIMAL({precision},{scale})", rf"-?(\d+(\.\d{{0,{scale}}}0*)?|\.\d{{1,{scale}}}0*)"
        else:
            raise ValueError(f"{column.name}: no {column.type} is read from files.")
        cast = f"try_cast({text} AS {target})"
        matches = f"regexp_full_match({text}, {literal(pattern)})"
        return f"CASE WHEN {cast}::VARCHAR = {text} THEN {cast} WHEN {matches} THEN {cast} END"

    @property
    def _conditions(self) -> list[str]:
        """What must hold of a record that lands."""
        found: list[str] = []
        for column in self.contract.columns:
            absent = f" OR {named('t', in_files(column))} IS NULL" if column.nullable else ""
            found.append(f"({_v(column)} {_BOUNDS.get(column.type, 'IS NOT NULL')}{absent})")
        if self.contract.month:
            found.append(self._in_range)
        return found + ([self._product] if self._product else [])

    @property
    def _in_range(self) -> str:
        return f"month_number BETWEEN {calendar.index(self.first_month)} AND {calendar.index(self.last_month)}"

    @property
    def _product(self) -> str:
        """Whether the product is right; true where one of the three is missing."""
        if self.contract.feed is None or self.contract.feed.product is None:
            return ""
        left, right, product = (named("v", name) for name in self.contract.feed.product)
        return f"coalesce({left}::DECIMAL(19,0) * {right}::DECIMAL(18,2) = {product}, true)"

    @property
    def _problem(self) -> str:
        """What is wrong with a record, as {reason, bad_column}: the first thing found, by the order of the columns."""
        cases: list[str] = []
        for name in self._names:
            column = next(c for c in self.contract.columns if in_files(c) == name)
            text, value = named("t", name), _v(column)
            if not column.nullable:
                cases.append(_case(f"{text} IS NULL", Reason.MISSING_VALUE, name))
            bad = f"{text} IS NOT NULL AND {value} IS NULL"
            if column.type in (Type.DATE, Type.INSTANT):
                cases.append(_case(f"{bad} OR NOT {value} {_BOUNDS[column.type]}", Reason.BAD_DATE, name))
            elif column.type in INTEGERS or column.type in DECIMALS:
                cases += [_case(f"{bad} AND {c}", reason, name) for c, reason in _number_faults(column.type, text)]
                negative = Reason.NEGATIVE_QUANTITY if column.type in INTEGERS else Reason.NEGATIVE_AMOUNT
                cases.append(_case(f"{value} < 0", negative, name))
        if self.contract.month:
            dated = in_files(self.contract.column(self.contract.month))
            cases.append(_case(f"NOT {self._in_range}", Reason.OUT_OF_RANGE, dated))
        if self._product and self.contract.feed and self.contract.feed.product:
            total = in_files(self.contract.column(self.contract.feed.product[2]))
            cases.append(_case(f"NOT {self._product}", Reason.TOTAL_MISMATCH, total))
        return f"CASE {' '.join(cases)} ELSE error('a record is rejected without a reason') END"


def _case(condition: str, reason: Reason, column: str) -> str:
    return f"WHEN {condition} THEN {{'reason': {literal(reason)}, 'bad_column': {literal(column)}}}"


def _number_faults(kind: Type, text: str) -> list[tuple[str, Reason]]:
    """Conditions on the text of something that is no number of this type, the last one always true."""
    digits, decimals = (INTEGERS[kind][1], 0) if kind in INTEGERS else DECIMALS[kind]
    found = [
        (r"[+-]?[\d. ]*\d,\d+", Reason.DECIMAL_COMMA),
        (rf"-?\d*\.\d{{{decimals}}}\d*[1-9]\d*", Reason.TOO_MANY_DECIMALS),
        (rf"-?\d{{{digits - decimals},}}(\.\d*)?", Reason.TOO_LARGE),
        (r"(?s).*", Reason.BAD_NUMBER),
    ]
    return [(f"regexp_full_match({text}, {literal(pattern)})", reason) for pattern, reason in found]


def _v(column: Column) -> str:
    return named("v", column.name)
