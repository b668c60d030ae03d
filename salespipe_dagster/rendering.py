"""Figures as pictures and pages: PNG bytes and standalone HTML, the same bytes each time, without a network.

Pictures are drawn by the Chromium inside kaleido 0.2.1, which needs no browser on the machine. We start
it ourselves: kaleido's own start script breaks where a folder's name has a space, and its Python class
keeps the process and waits for answers without end. This module is all that knows of kaleido.
"""

import base64
import contextlib
import html
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import kaleido
import plotly
from plotly.graph_objects import Figure

from salespipe_spark.errors import SalespipeError

WIDTH, HEIGHT = 1200, 700
SECONDS = 120
HINT = "`make setup` installs the drawing engine anew"

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body style="margin: 0; background: white">
<figure aria-label="{alt}" style="margin: 0; min-width: 800px">
{chart}
</figure>
</body>
</html>
"""


def title(figure: Figure) -> str:
    """The figure's title as plain text."""
    return str(_drawing(figure)["layout"]["meta"]["title"])


def alt_text(figure: Figure) -> str:
    """The figure in words, for those who do not see it."""
    return str(_drawing(figure)["layout"]["meta"]["alt"])


def to_html(figure: Figure) -> bytes:
    """The figure as one page that needs nothing else: plotly.js is inside."""
    chart = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="chart",  # else a random one
        default_height=f"{HEIGHT}px",
        config={"displaylogo": False, "responsive": True},
    )
    return PAGE.format(title=html.escape(title(figure)), alt=html.escape(alt_text(figure)), chart=chart).encode()


def to_png(figure: Figure, *scales: float) -> list[bytes]:
    """The figure as a picture of 1200x700 at each of these scales, drawn by one process.

    Raises:
        SalespipeError: the drawing engine cannot be started, or did not draw.
    """
    request = {"data": _drawing(figure), "format": "png", "width": WIDTH, "height": HEIGHT}
    answers = _kaleido([request | {"scale": scale} for scale in scales])
    return [base64.b64decode(answer["result"]) for answer in answers]


def _drawing(figure: Figure) -> dict[str, Any]:
    """What plotly.js gets."""
    return json.loads(str(figure.to_json()))


def _kaleido(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What kaleido answers: it greets, then answers a line with a line, and ends with its input."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    stdout, stderr = _run(lines.encode())
    answers = [json.loads(line) for line in stdout.splitlines(keepends=True) if line.endswith(b"\n")]
    for answer in answers:
        if answer.get("code"):
            raise _failure(answer["message"])
    if len(answers) != 1 + len(requests):
        raise _failure(_complaint(stderr))
    return answers[1:]


def _run(lines: bytes) -> tuple[bytes, str]:
    command, folder, environment = _command()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its helpers can be ended with it
        )
    except OSError as error:
        raise _failure(str(error)) from error
    with process:  # closes its pipes, also where it did not answer
        try:
            stdout, stderr = process.communicate(lines, timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise _failure(f"no answer in {SECONDS} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return stdout, stderr.decode(errors="replace")


def _complaint(stderr: str) -> str:
    """The first thing that Chromium calls an error; traces and warnings surround it."""
    lines = [line for line in stderr.splitlines() if ":WARNING:" not in line] or ["it ended without a word"]
    return next((line for line in lines if ":ERROR:" in line or ":FATAL:" in line), lines[0])


def _command() -> tuple[list[str], Path, dict[str, str]]:
    """How kaleido is started, in which folder, and with which environment: what its script would do."""
    folder = Path(str(kaleido.__file__)).parent / "executable"
    program = folder / "bin" / "kaleido"
    plotly_js = Path(str(plotly.__file__)).parent / "package_data" / "plotly.min.js"
    arguments = [
        "plotly",
        f"--plotlyjs={plotly_js.as_uri()}",
        "--disable-gpu",
        "--allow-file-access-from-files",
        "--disable-breakpad",
        "--disable-dev-shm-usage",
        "--no-sandbox",  # with one Chromium does not run as root; it draws our own figures only
    ]
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    environment |= {
        "LD_LIBRARY_PATH": str(folder / "lib"),
        "FONTCONFIG_PATH": str(folder / "etc" / "fonts"),
        "XDG_DATA_HOME": str(folder / "xdg"),
    }
    # Where the platform's package has no bin/, its script is the only way in.
    return [str(program if program.exists() else folder / "kaleido"), *arguments], folder, environment


def _failure(reason: str) -> SalespipeError:
    return SalespipeError(f"A chart could not be drawn: {reason}.", HINT)
