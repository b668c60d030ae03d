"""What a transform must not use, read off its source: what Sail gets wrong, and what Spark 3.5 does not have.

`faults` names every trap that a source steps into, with its line and the reason. A trap that only data
shows (an overflow, a NULL in a hash) is in `spark/test_engine_traps.py` and `integration/test_random_parity.py`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache

from pyspark.sql import Column, DataFrame, functions

NEWEST = (3, 5)
"""The oldest Spark that runs the transforms (Glue's) must have what they use."""

STAGING = "the lake stages, the engine writes: a transform's own writing overwrites, or loses months"
READING = "only the lake reads: Sail reads a path that does not exist as no rows, and merges schemas unasked"
ORDER = "Sail drops the order of rows and coalesce before a write"
NANOSECONDS = "over dates Sail goes by nanoseconds, which end in 1677 and 2262"
PYTHON = "a cluster has no Python of ours"

METHODS = {
    **dict.fromkeys(("cache", "persist", "checkpoint", "localCheckpoint"), "on Sail it is no snapshot: stage instead"),
    **dict.fromkeys(("intersectAll",), "Sail returns another multiplicity; exceptAll agrees"),
    **dict.fromkeys(("rangeBetween",), "over a DATE Sail sums wrongly: row frames, or F.unix_date"),
    **dict.fromkeys(("sort", "sortWithinPartitions", "coalesce", "repartition", "repartitionByRange"), ORDER),
    **dict.fromkeys(("write", "writeTo", "writeStream", "saveAsTable", "insertInto", "overwritePartitions"), STAGING),
    **dict.fromkeys(("read", "readStream", "parquet", "load", "json", "csv", "table"), READING),
    **dict.fromkeys(("observe", "groupingSets", "approxQuantile"), "Sail does not have it"),
    **dict.fromkeys(("dropDuplicates", "drop_duplicates"), "which row stays is the engine's choice"),
    **dict.fromkeys(("to",), "frame.to(schema) accepts NULL in columns that promise a value"),
    **dict.fromkeys(("mapInPandas", "mapInArrow", "applyInPandas", "applyInArrow", "foreach"), PYTHON),
    **dict.fromkeys(
        ("rdd", "toDF", "sparkContext", "_jdf"), "Spark Connect does not have it, or names columns by place"
    ),
    **dict.fromkeys(("limit", "sample", "randomSplit", "tail", "offset"), "which rows it takes is the engine's choice"),
}
"""Methods and attributes of frames and columns, by why not. `orderBy` is asked about below."""

FUNCTIONS = {
    **dict.fromkeys(("avg", "mean", "try_avg"), "Sail cuts an average of decimals off: _measures.average"),
    **dict.fromkeys(("try_divide", "try_to_date", "input_file_name", "bround", "from_csv"), "Sail does not have it"),
    **dict.fromkeys(
        ("approx_percentile", "percentile_approx", "approx_count_distinct"), "engines approximate differently"
    ),
    **dict.fromkeys(
        ("mode", "first", "first_value", "last", "last_value", "any_value"), "a tie is the engine's choice"
    ),
    **dict.fromkeys(("collect_list", "collect_set", "array_agg", "listagg"), "the order is the engine's choice"),
    **dict.fromkeys(("trunc", "date_trunc"), NANOSECONDS),
    **dict.fromkeys(("weekday",), "of a Sunday it is -1 on Sail: F.dayofweek"),
    **dict.fromkeys(("initcap", "to_json", "to_csv", "schema_of_json"), "engines write it differently"),
    **dict.fromkeys(("rand", "randn", "uuid", "shuffle", "monotonically_increasing_id"), "no two runs give the same"),
    **dict.fromkeys(
        ("current_date", "current_timestamp", "now", "curdate"), "the same months make the same table whenever"
    ),
    **dict.fromkeys(("udf", "pandas_udf", "udtf", "call_udf"), PYTHON),
}
"""Functions, as F.name or in an SQL text, by why not."""

TEXTS = {
    r"partitionOverwriteMode": "Sail deletes the months that are not written",
    r"basePath": "with leaf paths partition columns are missing or NULL",
    r"\b_metadata\b": "Sail does not have it",
    r"(?i)\bqualify\b|\bgroup\s+by\s+all\b": "Sail does not have it",
    r"(?i)\brange\s+between\b": "over a DATE Sail sums wrongly: ROWS BETWEEN",
    r"(?i)\bintersect\s+all\b": "Sail returns another multiplicity",
    r"\(\?<": "Sail's regular expressions do not look behind",
    r"(?i)\)\s*/|/\s*\(|\w\s+/\s+\w": "Sail cuts a division of decimals off: _measures.average",
}
"""Patterns in texts that may be SQL or settings, by why not."""

DIVIDES = "average"
"""The one function that divides; it casts both sides first."""


def faults(source: str) -> list[str]:
    """Every trap that the source steps into, as `line: what: why`."""
    tree = ast.parse(source)
    found = {(node.lineno, what, why) for node, what, why in (*_traps(tree), *_at_import(tree))}
    return [f"line {line}: {what}: {why}" for line, what, why in sorted(found)]


def _traps(tree: ast.Module) -> Iterator[tuple[ast.expr, str, str]]:
    prose, dividing = _prose(tree), _nodes_of(tree, DIVIDES)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name("F"), attr=name):
                yield from _of_function(node, name)
            case ast.Attribute(attr=name) if name in METHODS:
                yield node, f".{name}", METHODS[name]
            case ast.Attribute(value=of, attr="orderBy") if not _is_window(of):
                yield node, ".orderBy", ORDER
            case ast.Attribute(attr=name):
                yield from _too_new(node, f".{name}", [getattr(each, name, None) for each in (Column, DataFrame)])
            case ast.BinOp(op=ast.Div() | ast.FloorDiv()) if node not in dividing:
                yield node, "/", "Sail cuts a division of decimals off: _measures.average"
            case ast.JoinedStr(values=parts) if node not in prose:
                yield from _of_text(node, "{}".join(str(p.value) for p in parts if isinstance(p, ast.Constant)))
            case ast.Constant(value=str(text)) if node not in prose:
                yield from _of_text(node, text)
            case _:
                pass
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_function(node: ast.expr, name: str) -> Iterator[tuple[ast.expr, str, str]]:
    if name in FUNCTIONS:
        yield node, f"F.{name}", FUNCTIONS[name]
    yield from _too_new(node, f"F.{name}", [getattr(functions, name, None)])


def _of_text(node: ast.expr, text: str) -> Iterator[tuple[ast.expr, str, str]]:
    for pattern, why in TEXTS.items():
        if re.search(pattern, text):
            yield node, f"{text!r}", why
    for name in re.findall(r"\b([a-z_]+)\s*\(", text):
        yield from _of_function(node, name)
    for over in re.findall(r"(?i)\bover\s*\(([^()]*)\)", text):
        if re.search(r"(?i)\border\s+by\b", over) and "lag(" not in text and not re.search(r"(?i)\brows\b", over):
            yield node, f"{text!r}", "without a frame it is one of RANGE: say ROWS BETWEEN"


def _of_call(node: ast.Call) -> Iterator[tuple[ast.expr, str, str]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("count_distinct", "countDistinct") and len(node.args) > 1:
        yield node, f"F.{name} of several", "on Sail it is very slow: of a struct or a hash"
    if name == "otherwise" and isinstance(node.args[0], ast.Constant):
        yield node, ".otherwise of a bare value", "engines give it different types: F.lit(..).cast(..)"
    if name == "sequence" and any(isinstance(given, ast.Constant) for given in node.args):
        yield node, "F.sequence of columns as they are", f"{NANOSECONDS}: F.unix_date"
    for keyword in node.keywords:
        if keyword.arg == "allowMissingColumns":
            yield node, keyword.arg, "Sail does not fill them: F.lit(None).cast(..)"
        if keyword.arg == "how" and isinstance(keyword.value, ast.Constant) and "right" in str(keyword.value.value):
            yield node, "a right join", "written from the left, what is kept stands first"


def _at_import(tree: ast.Module) -> Iterator[tuple[ast.expr, str, str]]:
    """Expressions of Spark's that are made when the module is imported."""
    inside = {node for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) for node in _body(each)}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("F" | "Window" as of))) if node not in inside:
                yield node, f"{of} at import", "there is no session yet, and an import starts none"
            case _:
                pass


def _body(function: ast.FunctionDef) -> set[ast.AST]:
    """What runs when it is called: not its defaults and decorators, which run at once."""
    return {node for statement in function.body for node in ast.walk(statement)}


def _nodes_of(tree: ast.Module, name: str) -> set[ast.AST]:
    named = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == name)
    return {node for function in named for node in ast.walk(function)}


def _prose(tree: ast.Module) -> set[ast.AST]:
    """Texts that nobody runs: docstrings, and what a contract says of its columns."""
    said = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Column")
    grains = (node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "grain")
    return _docstrings(tree) | {each for node in (*said, *grains) for each in ast.walk(node)}


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    kinds = (ast.Module, ast.FunctionDef, ast.ClassDef)
    owners = (each for each in ast.walk(tree) if isinstance(each, kinds) and each.body)
    first = (owner.body[0] for owner in owners)
    return {statement.value for statement in first if isinstance(statement, ast.Expr)}


def _is_window(node: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "Window" for each in ast.walk(node))


def _too_new(node: ast.expr, what: str, found: list[object]) -> Iterator[tuple[ast.expr, str, str]]:
    """What no Spark 3.5 has, by the version that its own documentation names."""
    versions = [_added(each) for each in found if callable(each)]
    if versions and all(version > NEWEST for version in versions):
        yield node, what, f"it came with Spark {'.'.join(map(str, min(versions)))}, and Glue has 3.5"


@cache
def _added(function: object) -> tuple[int, ...]:
    named = re.search(r"\.\. versionadded:: (\d+)\.(\d+)", getattr(function, "__doc__", None) or "")
    return tuple(map(int, named.groups())) if named else (0, 0)
