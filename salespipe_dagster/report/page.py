"""The page: template, style, scripts and data as one file, which asks nobody for anything."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

from salespipe_dagster.charts import _look

SCRIPTS = ("words.js", "figures.js", "draw.js", "charts.js", "page.js")


def page(data: Mapping[str, Any]) -> bytes:
    """The whole file. What it may load or run is said in its own policy: nothing from outside, and its own script."""
    style = _colours() + _file("report.css")
    script = "\n".join(["(() => {", "'use strict';", *map(_file, SCRIPTS), "})();"])
    allowed = {"style-src": _digest(style), "script-src": _digest(script)}
    forbidden = dict.fromkeys(("default-src", "base-uri", "form-action"), "'none'")
    policy = "; ".join(f"{name} {value}" for name, value in (forbidden | allowed).items())
    return (
        Template(_file("report.html"))
        .substitute(policy=policy, style=style, script=script, data=_json({**data, "look": _look_of_bars()}))
        .encode()
    )


def _file(name: str) -> str:
    return (files(__package__ or "") / name).read_text(encoding="utf-8")


def _json(data: Mapping[str, Any]) -> str:
    """The data as text that cannot end its element, whatever the names in it are."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _colours() -> str:
    """The colours and the font of the charts, for the style."""
    named = {
        "revenue": _look.REVENUE,
        "cancelled": _look.CANCELLED,
        "other": _look.OTHER,
        "ink": _look.INK,
        "muted": _look.MUTED,
        "grid": _look.GRID,
        "font": f"system-ui, {_look.FONT}",
    }
    return ":root{" + ";".join(f"--{name}:{value}" for name, value in named.items()) + "}\n"


def _look_of_bars() -> dict[str, str]:
    return {"revenue": _look.REVENUE, "cancelled": _look.CANCELLED, "other": _look.OTHER}
