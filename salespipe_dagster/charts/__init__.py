"""The charts, one a file: a module's name is the chart's name, and its function of that name draws it.

The function's parameter names are the tables that it reads (frames of the engine), and it takes the
keyword `about`; it returns a figure. Adding a chart is adding such a module: its asset, its picture
and its page follow. Nothing is listed here.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from plotly.graph_objects import Figure

from salespipe_dagster.charts._look import About

__all__ = ["About", "Chart", "charts"]


@dataclass(frozen=True)
class Chart:
    """A chart: the function that draws it, and the tables that it reads."""

    name: str
    draw: Callable[..., Figure]
    description: str
    inputs: tuple[str, ...]


@cache
def charts() -> dict[str, Chart]:
    """All charts by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return {name: _chart(name) for name in names if not name.startswith("_")}


def _chart(name: str) -> Chart:
    draw = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    parameters = inspect.signature(draw).parameters.values()
    return Chart(
        name=name,
        draw=draw,
        description=inspect.getdoc(draw) or "",
        inputs=tuple(p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY),
    )
