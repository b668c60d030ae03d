"""What `salespipe doctor` looks at: each finding with the next step where something is missing."""

import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from salespipe_dagster.advance import company_of
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_marker import require_same
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.tables import sources, tables

NEEDED_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and the next step where it is not well."""

    what: str
    ok: bool
    found: str
    next: str = ""


def examine() -> list[Finding]:
    """Look at everything that a run needs, in the order in which a run would miss it."""
    findings = [_python(), _java()]
    try:
        settings = Settings.load()
    except SalespipeError as error:
        findings.append(Finding("settings", ok=False, found=error.message, next=error.hint))
        return [*findings, *_source_without_months()]
    configured = ", ".join(sorted(settings.model_fields_set)) or "nothing, so the embedded default"
    findings.append(Finding("settings", ok=True, found=f"configured: {configured}"))
    findings += [_looked_at(what, look, settings) for what, look in _LOOKS.items()]
    return findings


def _source_without_months() -> list[Finding]:
    """The source, where only START_MONTH may be wrong or missing: its first month is what to set it to."""
    try:
        settings = Settings.load(start_month="0001-01")
    except SalespipeError:
        return []
    return [_looked_at("source", _source, settings)]


def _python() -> Finding:
    return Finding("Python", ok=True, found=platform.python_version())


def _java() -> Finding:
    java = shutil.which("java")
    return Finding("Java", ok=True, found=java or "none; only SALESPIPE_ENGINE=spark needs it")


def _engine(settings: Settings) -> str:
    if settings.engine == "spark" and shutil.which("java") is None:
        raise SalespipeError("spark, but there is no java", "install Java 17 or later, or set SALESPIPE_ENGINE=sail")
    return settings.engine


def _source(settings: Settings) -> str:
    source = SourceDatabase(settings.source)
    shown = settings.source.render_as_string(hide_password=True)
    if settings.synthetic and settings.source.database and not Path(settings.source.database).exists():
        return f"{shown}: not there yet, the first run makes it"
    source.probe()
    source.check_schema(sources())
    span = source.span()
    company = source.made_by() if settings.synthetic else None
    if company:
        require_same(company, company_of(settings), settings.source)
        return f"{shown}: {source.describe()}; the synthetic company on {company.today}"
    months = f"orders and payments from {span[0]} to {span[1]}" if span else "no orders"
    return f"{shown}: {source.describe()}; {months}"


def _home(settings: Settings) -> str:
    return _writable("SALESPIPE_HOME", settings.root)


def _lake(settings: Settings) -> str:
    catalogue = Catalogue(settings.lake)
    published = sum(len(catalogue.published(table)) for table in tables().values())
    return f"{_writable('SALESPIPE_LAKE_URL', settings.lake)}, {published} parts published"


def _writable(name: str, folder: Path) -> str:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise SalespipeError(f"{folder} cannot be written", f"set {name} to a folder that you may write")
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise SalespipeError(f"{folder} has only {free // 1024**2} MiB free", f"make room, or set {name} elsewhere")
    return f"{folder}, {free // 1024**3} GiB free"


def _looked_at(what: str, look: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(what, ok=True, found=look(settings))
    except SalespipeError as error:
        return Finding(what, ok=False, found=error.message, next=error.hint)


_LOOKS: dict[str, Callable[[Settings], str]] = {
    "home": _home,
    "lake": _lake,
    "engine": _engine,
    "source": _source,
}
