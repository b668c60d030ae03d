"""The charts, one a file: a module's name is the chart's name, and its function of that name draws it.

The function's parameter names are the tables that it reads (frames of the engine), and it takes the
keyword `about`; it returns a figure. One that takes `abouts` instead, by month, is a chart of each
month and returns a figure for each. Adding a chart is adding such a module: its asset, its picture
and its page follow. Nothing is listed here.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from salespipe_dagster.charts._look import About
from salespipe_spark import months

__all__ = ["About", "Chart", "charts", "compared", "inputs_of", "touched"]

STEPS = (0, 1, 12)
"""How many months before its own a chart of one month shows: itself, the month before, the year before."""


@dataclass(frozen=True)
class Chart:
    """A chart: the function that draws it, the tables that it reads, and whether it is drawn for each month."""

    name: str
    draw: Callable[..., Any]
    description: str
    inputs: tuple[str, ...]
    monthly: bool


@cache
def charts() -> dict[str, Chart]:
    """All charts by name."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return {name: _chart(name) for name in names if not name.startswith("_")}


def compared(month: str) -> list[str]:
    """The months that the chart of one month shows, in order."""
    return sorted(months.shifted(month, -step) for step in STEPS)


def touched(changed: list[str]) -> list[str]:
    """The months whose charts show one of these, in order."""
    return sorted({months.shifted(month, step) for month in changed for step in STEPS})


def inputs_of(draw: Callable[..., Any]) -> tuple[str, ...]:
    """The tables that a function of frames reads: its parameters, but for those that are keywords alone."""
    parameters = inspect.signature(draw).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY)


def _chart(name: str) -> Chart:
    draw = getattr(importlib.import_module(f"{__name__}.{name}"), name)
    return Chart(
        name=name,
        draw=draw,
        description=inspect.getdoc(draw) or "",
        inputs=inputs_of(draw),
        monthly="abouts" in inspect.signature(draw).parameters,
    )
