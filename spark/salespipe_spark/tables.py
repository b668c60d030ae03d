"""The tables, found in `staging/`, `core/` and `marts/`: a module's name is the table's name.

A table's module holds `CONTRACT` and, but for staging, a function of the module's own name whose
parameter names are its inputs. Adding a table is adding such a module; nothing is listed here.
"""

import hashlib
import importlib
import importlib.resources
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from types import ModuleType

from pyspark.sql import DataFrame

import salespipe_spark
from salespipe_spark.contract import SNAPSHOT, Contract

LAYERS = ("staging", "core", "marts")
CALENDAR = "calendar"
"""An input that is no table: one row, the first and the last day of the years that the lake covers."""
CALENDAR_DDL = "first_date date, last_date date"

LANDED = "landed"
"""An input that is no table: the rows that landed from the files of the table's feed, in the run's months."""


@dataclass(frozen=True)
class Table:
    """A table: its contract and, but for staging, the function that makes it from its inputs."""

    layer: str
    name: str
    contract: Contract
    description: str
    code_version: str
    transform: Callable[..., DataFrame] | None = None
    inputs: tuple[str, ...] = ()

    @property
    def monthly(self) -> bool:
        """Whether the table is cut into months."""
        return bool(self.contract.month)

    @property
    def upstream(self) -> list[str]:
        """The other tables that it is made from."""
        return [name for name in self.inputs if name not in (CALENDAR, LANDED, self.name)]

    def spans(self, given: "Table") -> bool:
        """Whether it takes all published months of an input, as a snapshot does, and not its own month alone."""
        return given.monthly and not self.monthly

    @property
    def spanned(self) -> list["Table"]:
        """The inputs that it spans."""
        return [given for name in self.upstream if self.spans(given := tables()[name])]

    def common_months(self, published: Callable[["Table"], Iterable[str]]) -> list[str]:
        """The months that a snapshot takes of all the inputs that it spans: else its columns would be of other months.

        `published` tells the months of an input.
        """
        over = [set(published(given)) for given in self.spanned]
        return sorted(set.intersection(*over)) if over else []

    def parts(self, months: list[str]) -> list[str]:
        """The parts that a run of these months owns: the months, or the one snapshot."""
        return months if self.monthly else [SNAPSHOT]


@cache
def tables() -> dict[str, Table]:
    """All tables by name, each after its inputs.

    Raises:
        ValueError: two tables have one name, or one names an input that does not exist.
    """
    found: dict[str, Table] = {}
    for layer in LAYERS:
        for module in _modules(layer):
            table = _table(layer, module)
            if table.name in found:
                raise ValueError(f"Two tables are called {table.name}: {layer} and {found[table.name].layer}.")
            found[table.name] = table
    edges = {table.name: table.upstream for table in found.values()}
    unknown = {(name, i) for name, inputs in edges.items() for i in inputs if i not in found}
    if unknown:
        raise ValueError("No such table: " + ", ".join(f"{i} (an input of {name})" for name, i in sorted(unknown)))
    return {name: found[name] for name in TopologicalSorter(edges).static_order()}


def sources() -> list[Table]:
    """The tables that mirror the source's."""
    return [table for table in tables().values() if table.contract.source]


def feeds() -> list[Table]:
    """The tables that are made from files that land."""
    return [table for table in tables().values() if table.contract.feed]


def _modules(layer: str) -> list[ModuleType]:
    package = importlib.import_module(f"{salespipe_spark.__name__}.{layer}")
    names = (info.name for info in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{n}") for n in names if not n.startswith("_")]


def _code_version(module: ModuleType) -> str:
    """A digest of the table's module and of what its layer shares; also where both come in a zip, as to a cluster."""
    layer = importlib.resources.files(module.__name__.rpartition(".")[0])
    shared = sorted(f.name for f in layer.iterdir() if f.name.startswith("_") and f.name.endswith(".py"))
    sources = [inspect.getsource(module).encode(), *(layer.joinpath(name).read_bytes() for name in shared)]
    return hashlib.sha256(b"".join(sources)).hexdigest()[:12]


def _table(layer: str, module: ModuleType) -> Table:
    name = module.__name__.rpartition(".")[2]
    transform = getattr(module, name, None)
    return Table(
        layer=layer,
        name=name,
        contract=module.CONTRACT,
        description=(inspect.getdoc(module) or "").strip(),
        code_version=_code_version(module),
        transform=transform,
        inputs=tuple(inspect.signature(transform).parameters) if transform else (),
    )
