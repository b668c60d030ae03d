"""The code of the job as a cluster takes it: a zip of pure Python and a script of two lines.

In the zip are the Spark package and Dagster Pipes, which the job logs by; nothing else is needed there but
pyspark. It is the same bytes for the same code, so that it lies in a lake once for each version.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

import dagster_pipes

import salespipe_spark
from salespipe_spark.lake.objects import Store

ARCHIVE, SCRIPT = "salespipe_spark.zip", "salespipe_job.py"
MAIN = b'''"""Makes one table: the start of salespipe_spark.job, which comes in the zip beside it."""

from salespipe_spark.job import main

main()
'''
ANY_TIME = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: when it was packed must not make it another."""


@dataclass(frozen=True)
class Code:
    """Where the job's code lies, as a service is told."""

    archive: str
    script: str


@cache
def files() -> dict[str, bytes]:
    """The files that a cluster needs, by name."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(_contents().items()):
            archive.writestr(zipfile.ZipInfo(name, ANY_TIME), content, zipfile.ZIP_DEFLATED)
    return {ARCHIVE: packed.getvalue(), SCRIPT: MAIN}


def put(store: Store) -> Code:
    """Have the code lie in the lake's store; where it does already, nothing is written."""
    made = files()
    digest = hashlib.sha256(b"".join(made.values())).hexdigest()[:16]
    for name, content in made.items():
        store.put(f"_code/{digest}/{name}", content)
    return Code(*(store.uri(f"_code/{digest}/{name}") for name in (ARCHIVE, SCRIPT)))


def _contents() -> dict[str, bytes]:
    found = _modules(salespipe_spark) | _modules(dagster_pipes)
    licences = [file for file in metadata.files("dagster-pipes") or [] if "licenses" in file.parts]
    return found | {f"licenses/dagster_pipes/{file.name}": file.read_binary() for file in licences}


def _modules(package: ModuleType) -> dict[str, bytes]:
    root = Path(package.__path__[0])
    return {f"{root.name}/{file.relative_to(root)}": file.read_bytes() for file in root.rglob("*.py")}
