"""What `salespipe doctor` looks at: each finding with the next step where something is missing."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from plotly.graph_objects import Figure
from pydantic import SecretStr

from salespipe_dagster.cluster.services import service_of
from salespipe_dagster.records import require_usable
from salespipe_dagster.rendering import Renderer
from salespipe_dagster.resources import java
from salespipe_dagster.resources.engine import open_engine
from salespipe_dagster.resources.files import files_store
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.resources.source_connection import place
from salespipe_dagster.resources.source_db import SourceDatabase
from salespipe_dagster.resources.source_marker import require_same
from salespipe_dagster.setting_types import PREFIX
from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.configured import company_of
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.catalogue import Catalogue
from salespipe_spark.lake.s3 import S3Store
from salespipe_spark.tables import sources, tables

NEEDED_BYTES = 2 * 1024**3
OLDEST_JAVA = 17
UNKNOWN = "0001-01"
"""Stands for a first month that is not set."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found, and the next step where it is not well, or could be better."""

    what: str
    ok: bool
    found: str
    next: str = ""


Look = Callable[[Settings], Iterator[Finding]]


def examine() -> list[Finding]:
    """Look at everything that a run needs, in the order in which a run would miss it."""
    findings = [Finding("Python", ok=True, found=platform.python_version())]
    try:
        settings = Settings.load()
    except SalespipeError as error:
        findings.append(Finding("settings", ok=False, found=error.message, next=error.hint))
        return [*findings, *_source_without_months()]
    looks: list[tuple[str, Look]] = [
        ("settings", _settings),
        ("home", _home),
        ("lake", _lake),
        ("files", _files),
        ("engine", _engine),
        ("charts", _charts),
        ("source", _source),
    ]
    for what, look in looks:
        findings += _looked_at(what, look, settings)
    return findings


def _source_without_months() -> list[Finding]:
    """The source, where only START_MONTH may be wrong or missing: its first month is what to set it to."""
    try:
        settings = Settings.load(start_month=UNKNOWN)
    except SalespipeError:
        return []
    return _looked_at("source", _source, settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    """Each setting as it is in force, and where it comes from."""
    shown: dict[str, object] = {
        "source_url": settings.source.render_as_string(hide_password=True),
        "source_mode": "synthetic" if settings.synthetic else "external",
        "lake_url": settings.lake_place,
        "files_url": settings.files_place,
        "start_month": settings.first_month,
        "end_month": settings.last_month,
    }
    for name in type(settings).model_fields:
        value = shown.get(name, getattr(settings, name))
        origin = "environment" if name in settings.model_fields_set else "default"
        text = "***" if isinstance(value, SecretStr) else "none" if value is None else str(value)
        yield Finding(PREFIX + name.upper(), ok=True, found=f"{text} ({origin})")


def _home(settings: Settings) -> Iterator[Finding]:
    require_usable(settings.root)
    yield Finding("home", ok=True, found=_writable("SALESPIPE_HOME", settings.root))


def _lake(settings: Settings) -> Iterator[Finding]:
    store = lake_store(settings)
    found = store.probe() if isinstance(store, S3Store) else _writable("SALESPIPE_LAKE_URL", settings.lake)
    catalogue = Catalogue(store)
    published = sum(len(catalogue.published(table)) for table in tables().values())
    yield Finding("lake", ok=True, found=f"{found}, {published} parts published")


def _files(settings: Settings) -> Iterator[Finding]:
    """Where the files land: read, never written."""
    store = files_store(settings)
    number = sum(1 for _ in store.entries(""))
    yield Finding("files", ok=True, found=f"{store.place}, {number:,} objects")


def _engine(settings: Settings) -> Iterator[Finding]:
    java = _java()
    needed = settings.needs_java
    if needed and (java is None or java < OLDEST_JAVA):
        found = "there is no java" if java is None else f"java is version {java}"
        hint = f"install Java {OLDEST_JAVA} or later, or set SALESPIPE_ENGINE=sail"
        raise SalespipeError(f"{settings.engine}, but {found}", hint)
    yield Finding("engine", ok=True, found=_reached(settings))
    version = "none" if java is None else str(java)
    yield Finding("Java", ok=True, found=version if needed else f"{version}; only Apache Spark needs it")


def _reached(settings: Settings) -> str:
    """The engine; one that does not start with the run is asked whether it is there."""
    if service := service_of(settings):
        try:
            return f"{settings.engine}: {service.probe()}"
        except (BotoCoreError, ClientError) as error:
            hint = "correct what SALESPIPE_ENGINE and the settings beside it name, or AWS's own settings"
            raise SalespipeError(f"{settings.engine} does not answer as it should: {error}.", hint) from error
    if not settings.is_embedded:
        with open_engine(settings) as engine:
            engine.session.sql("SELECT 1").collect()
    return settings.engine


def _java() -> int | None:
    """The version of the Java that Spark would start; None where there is none that answers."""
    try:
        said = subprocess.run([java.program("java"), "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', said)  # 1.8 is 8
    return int(version[1]) if version else None


def _charts(_: Settings) -> Iterator[Finding]:
    """Draws one: the pictures come from a browser that kaleido brings along, and it may lack a library."""
    with closing(Renderer()) as renderer:
        renderer.to_png(Figure(), 0.1)
    yield Finding("charts", ok=True, found="can be drawn")


def _source(settings: Settings) -> Iterator[Finding]:
    source = SourceDatabase(settings.source)
    if settings.synthetic and source.dialect == "sqlite" and not Path(settings.source.database or "").exists():
        yield Finding("source", ok=True, found="not there yet, the first run makes it")
        return
    source.probe()
    yield Finding("source", ok=True, found=f"{place(settings.source)}: {source.describe()}")
    unknown = source.check_schema(sources())
    ignored = f"; ignored, as in no contract: {', '.join(unknown)}" if unknown else ""
    yield Finding("source schema", ok=True, found=f"as the contracts say{ignored}")
    span = source.span()
    yield _months(settings, span) if span else Finding("source months", ok=True, found="no orders and no payments")
    company = source.made_by() if settings.synthetic else None
    if company:
        if settings.start_month != UNKNOWN:
            require_same(company, company_of(settings), settings.source)
        yield Finding("company", ok=True, found=f"the synthetic company on {company.today}")
    if not settings.synthetic:
        yield from _advice(source)


def _months(settings: Settings, span: tuple[str, str]) -> Finding:
    """The source's months; a shop that has long closed gets empty months up to today where no end is set."""
    first, last = span
    hints = [f"SALESPIPE_START_MONTH={first}"] * (settings.start_month in (None, UNKNOWN))
    hints += [f"SALESPIPE_END_MONTH={last}"] * (months.shifted(last, 1) < settings.last_month)
    return Finding(
        "source months",
        ok=True,
        found=f"orders and payments from {first} to {last}",
        next=f"export {' '.join(hints)}" if hints and not settings.synthetic else "",
    )


def _advice(source: SourceDatabase) -> Iterator[Finding]:
    """What works, and could be better."""
    rights = source.needless_privileges()
    found = f"more than reading: {', '.join(rights)}" if rights else "reading alone"
    hint = "a user of its own with SELECT on these tables is enough" if rights else ""
    yield Finding("source rights", ok=True, found=found, next=hint)
    statements = source.missing_indexes(sources())
    found = "a single month reads whole tables" if statements else "all that help are there"
    yield Finding("source indexes", ok=True, found=found, next="; ".join(statements))


def _writable(name: str, folder: Path) -> str:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise SalespipeError(f"{folder} cannot be written", f"set {name} to a folder that you may write")
    free = shutil.disk_usage(existing).free
    if free < NEEDED_BYTES:
        raise SalespipeError(f"{folder} has only {free // 1024**2} MiB free", f"make room, or set {name} elsewhere")
    return f"{folder}, {free // 1024**3} GiB free"


def _looked_at(what: str, look: Look, settings: Settings) -> list[Finding]:
    """What was found until something failed, and the failure."""
    findings: list[Finding] = []
    try:
        for finding in look(settings):
            findings.append(finding)
    except SalespipeError as error:
        findings.append(Finding(what, ok=False, found=error.message, next=error.hint))
    except OSError as error:
        findings.append(Finding(what, ok=False, found=f"{error}", next="run as the user whose folders these are"))
    return findings
