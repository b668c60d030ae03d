"""A tick of the sensor of arrivals over many files, in a folder and on SeaweedFS: what is there, and what is due.

Each tick in a process of its own, which prints its figures as JSON. Nothing is parsed: the ledger's entries
and the objects with the rows are names alone, which is what a tick reads of them.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import dagster as dg
from pyarrow import fs

from salespipe_dagster.arrivals import LAND, RUN_TAG
from salespipe_dagster.definitions import build_defs
from salespipe_dagster.landing.ledger import entry_key, part_key
from salespipe_dagster.landing.parsed import Status
from salespipe_dagster.landing.survey import version_of
from salespipe_dagster.resources.files import files_store
from salespipe_dagster.settings import Settings
from salespipe_dagster_tests.bench import report
from salespipe_dagster_tests.bench.measure import in_process
from salespipe_dagster_tests.bench.memory import MEGABYTE, PeakMemory
from salespipe_dagster_tests.bench.report import Line
from salespipe_dagster_tests.s3_servers import ACCESS_KEY, CREDENTIALS, REGION, SECRET_KEY, seaweedfs

FILES = 100_000
FEED = "online_sales"
AT_ONCE = 16
WRITTEN = datetime(2025, 1, 1, tzinfo=UTC).timestamp()

Put = Callable[[list[str]], None]
"""Makes objects of these keys."""


@dataclass(frozen=True)
class Place:
    """Where files and lake lie, as settings say it, and what makes many objects there at once."""

    name: str
    values: dict[str, str]
    files: Put
    lake: Put


def tick(values: str, cursor: str) -> dict[str, Any]:
    """One tick: its seconds, what it asks for, and its new cursor."""
    settings = _settings(json.loads(values))
    sensor = build_defs(settings).resolve_sensor_def("arrivals")
    resources = {"files": files_store(settings)}
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor or None, resources=resources) as context,
        PeakMemory() as memory,
    ):
        start, processor = time.perf_counter(), time.process_time()
        found = sensor.evaluate_tick(context)
        seconds, cpu = time.perf_counter() - start, time.process_time() - processor
    asked = [request.tags[RUN_TAG] for request in found.run_requests or []]
    taken = {"seconds": seconds, "cpu": cpu, "growth": memory.growth / MEGABYTE, "peak": memory.peak / MEGABYTE}
    return taken | {"asked": asked, "cursor": found.cursor or ""}


def arrival_lines(folder: Path, repeat: int, files: int = FILES) -> dict[str, list[Line]]:
    """The ticks in a folder, and on SeaweedFS."""
    found = {"arrivals in a folder": _lines(_folder(folder / "arrivals"), repeat, files)}
    with seaweedfs() as server:
        os.environ.update(CREDENTIALS)  # for the processes of the ticks
        place = _bucket(folder / "arrivals-s3", server.endpoint_url, server.bucket("bench"))
        found["arrivals on SeaweedFS"] = _lines(place, repeat, files)
    return found


def _lines(place: Place, repeat: int, files: int) -> list[Line]:
    settings = _settings(place.values)
    _timed(f"{place.name}: files", place.files, [f"sales/{number:06d}.csv" for number in range(files)])
    found = [_ticked(place, "nothing landed", repeat, files, [LAND])]
    entries = files_store(settings).entries("")
    versions = [version_of(FEED, entry).id for entry in entries]
    _timed(f"{place.name}: ledger", place.lake, [entry_key(FEED, v, Status.LANDED) for v in versions])
    found.append(_ticked(place, "all landed, and made", repeat, files, []))
    found.append(_ticked(place, "the same, by its cursor", repeat, files, [], found[-1]["cursor"]))
    months = settings.months
    parts = [part_key(FEED, months[number % len(months)], v) for number, v in enumerate(versions)]
    _timed(f"{place.name}: rows", place.lake, parts)
    found.append(_ticked(place, "all landed, to be made", repeat, files, [f"all {months[0]}...{months[-1]}"]))
    return [_line(each, files) for each in found]


def _ticked(place: Place, title: str, repeat: int, files: int, expected: list[str], cursor: str = "") -> dict[str, Any]:
    """The quickest of several ticks, which ask for what they should."""
    turns = [in_process(__name__, "tick", json.dumps(place.values), cursor) for _ in range(repeat)]
    for turn in turns:
        told = f"{turn['seconds']:.2f} s, {turn['cpu']:.2f} s of the processor"
        click.echo(f"{place.name}, {files:,} files: {title}: {told}", err=True)
        if turn["asked"] != expected:
            raise RuntimeError(f"{title}: asked for {turn['asked']}, not {expected}.")
    return min(turns, key=lambda turn: turn["seconds"]) | {"title": title}


def _line(taken: dict[str, Any], files: int) -> Line:
    title = f"{taken['title']}; the cursor has {len(taken['cursor'])} bytes"
    memory = {"growth": taken["growth"], "peak": taken["peak"]}
    return Line(title, taken["seconds"], files, most_seconds=report.TICK, **memory)


def _settings(values: dict[str, str]) -> Settings:
    span = {"start_month": "2024-01", "end_month": "2025-12"}
    return Settings.checked(source_url="mysql+pymysql://shop@db.example/shop", **span, **values)


def _timed(what: str, put: Put, keys: list[str]) -> None:
    start = time.perf_counter()
    put(keys)
    click.echo(f"{what}: {len(keys):,} made in {time.perf_counter() - start:.1f} s", err=True)


def _folder(home: Path) -> Place:
    def below(root: Path) -> Put:
        def put(keys: list[str]) -> None:
            for folder in {(root / key).parent for key in keys}:
                folder.mkdir(parents=True, exist_ok=True)
            for key in keys:
                file = root / key
                file.touch()
                os.utime(file, (WRITTEN, WRITTEN))  # a file of now may be written still

        return put

    places = {name: home / name for name in ("files", "lake")}
    values = {"home": str(home)} | {f"{name}_url": str(root) for name, root in places.items()}
    return Place("a folder", values, below(places["files"]), below(places["lake"]))


def _bucket(home: Path, endpoint_url: str, bucket: str) -> Place:
    scheme, _, host = endpoint_url.partition("://")
    access = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "region": REGION}
    # Arrow's client leaves Python's lock alone: sixteen of its threads make thousands of objects a second.
    store = fs.S3FileSystem(scheme=scheme, endpoint_override=host, allow_delayed_open=True, **access)

    def below(prefix: str) -> Put:
        def one(key: str) -> None:
            with store.open_output_stream(f"{bucket}/{prefix}/{key}") as file:
                file.write(b"1")

        def put(keys: list[str]) -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(one, keys))

        return put

    values = {"home": str(home), "s3_endpoint_url": endpoint_url, "s3_region": REGION}
    values |= {f"{name}_url": f"s3://{bucket}/{name}" for name in ("files", "lake")}
    return Place("SeaweedFS", values, below("files"), below("lake"))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tick(*sys.argv[2:])))
