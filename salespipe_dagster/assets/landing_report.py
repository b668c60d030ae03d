"""What Dagster and the command line are told of a landing."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from salespipe_dagster.landing.land import Landing
from salespipe_dagster.landing.parsed import Parsed, Status
from salespipe_spark.tables import Table

SHOWN = 50
_HEADER = "| file | | records | landed | quarantined | duplicates | |\n|---|---|---:|---:|---:|---:|---|"


def metadata(landing: Landing, table: Table) -> dict[str, Any]:
    """What a landing did with the files of a feed: figures, and a line for each file."""
    results = landing.of(table.name)
    folder = table.contract.feed.folder if table.contract.feed else ""
    figures = {name: sum(getattr(each, name) for each in results) for name in ("records", "quarantined", "duplicates")}
    landed = [result for result in results if result.status is Status.LANDED]
    unknown = sorted({column for result in results for column in result.unknown_columns})
    changed = [key for key in landing.changed if key.partition("/")[0] == folder]
    lists = {
        "unknown_columns": unknown,
        "foreign": landing.found.foreign,
        "left": changed,
        "gone_files": landing.gone.get(table.name, []),
        "held_files": [each.version.shown_key for each in results if each.status is Status.HELD],
        "failed_files": [each.version.shown_key for each in results if each.status is Status.FAILED],
    }
    return {
        "files": len(landed),
        "rows": sum(result.landed for result in landed),
        **figures,
        "held": sum(result.status is Status.HELD for result in results),
        "failed": sum(result.status is Status.FAILED for result in results),
        "waiting": landing.waiting,
        "gone": len(landing.found.gone.get(table.name, [])),
        "months": ", ".join(sorted({part for result in results for part in result.parts})),
        **{name: _named(names) for name, names in lists.items() if names},
        "by_file": dg.MetadataValue.md(_by_file(results)),
    }


def notes(table: Table, told: Mapping[str, dg.MetadataValue[Any]]) -> list[str]:
    """What the command line says of a landing, from what Dagster was told; nothing where nothing happened."""
    found = {name: value.value for name, value in told.items()}
    lines: list[str] = []
    if found["files"]:
        aside = f"{found['quarantined']:,} records were put aside, {found['duplicates']:,} were duplicates"
        lines.append(f"{table.name}: {found['files']:,} files have landed with {found['rows']:,} rows; {aside}")
    for name, said in (
        ("unknown_columns", "columns that the contract does not know were ignored"),
        ("held_files", "nothing has landed of files with too many rejects; salespipe quarantine list"),
        ("failed_files", "files cannot be read; salespipe quarantine list"),
        ("left", "files changed while they were read; the next run lands them"),
        ("gone_files", "files were deleted and their rows count still; salespipe quarantine forget FILE"),
    ):
        lines += [f"{table.name}: {said}: {found[name]}"] if name in found else []
    if found["waiting"]:
        lines.append(f"{found['waiting']:,} files are left for the next run; salespipe run")
    if "foreign" in found:
        lines.append(f"files in no feed's folder: {found['foreign']}")
    return lines


def _by_file(results: list[Parsed]) -> str:
    lines = [_HEADER, *map(_line, results[:SHOWN])]
    if len(results) > SHOWN:
        lines.append(f"\n… and {len(results) - SHOWN} more; `salespipe quarantine list` shows what was put aside.")
    return "\n".join(lines) if results else "No file was there that had not landed."


def _line(result: Parsed) -> str:
    reasons = ", ".join(f"{number} {reason}" for reason, number in result.reasons.items())
    told = "; ".join(filter(None, [result.reason, reasons]))
    figures = (result.records, result.landed, result.quarantined, result.duplicates)
    cells = [result.version.shown_key, result.status.value, *(f"{figure:,}" for figure in figures), told]
    # A file's name is data, also where it looks like markup.
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    return "".join(
        f"\\{character}" if character in "\\`*_[]<>|" else character for character in text if character.isprintable()
    )


def _named(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
