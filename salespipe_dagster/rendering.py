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
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from queue import LifoQueue
from typing import IO, Any

import kaleido
import plotly
from plotly.graph_objects import Figure
from plotly.offline import get_plotlyjs

from salespipe_spark.errors import SalespipeError

WIDTH, HEIGHT = 1200, 700
SECONDS = 120
FORBIDDEN = re.compile(r"(\\\\)|\\(?:[bf]|u(?:00(?:0[0-8be]|0f|1[0-9a-f])|fff[ef]))")
"""What XML has no characters for, as JSON writes it; a backslash that is one comes first, and stays."""
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
    return str(figure.layout.meta["title"])


def alt_text(figure: Figure) -> str:
    """The figure in words, for those who do not see it."""
    return str(figure.layout.meta["alt"])


def plotly_js() -> bytes:
    """plotly.js, for a folder of many pages."""
    return get_plotlyjs().encode()


def to_html(figure: Figure, script: str = "") -> bytes:
    """The figure as one page that needs nothing else: plotly.js is inside, or is the script beside it of this name."""
    chart = figure.to_html(
        full_html=False,
        include_plotlyjs=script or True,
        div_id="chart",  # else a random one
        default_height=f"{HEIGHT}px",
        config={"displaylogo": False, "responsive": True},
    )
    return PAGE.format(title=html.escape(title(figure)), alt=html.escape(alt_text(figure)), chart=chart).encode()


def drawing(figure: Figure) -> dict[str, Any]:
    """What plotly.js gets, without the characters that no picture can hold; pasting from a spreadsheet leaves such."""
    values = FORBIDDEN.sub(lambda found: found[1] or " ", str(figure.to_json()))
    return json.loads(values)


class Renderer:
    """Draws figures as PNG, all by one process of kaleido: its start takes a second, a picture a tenth of one.

    The process starts with `start` or with the first picture and ends with `close`, its helpers with it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None
        self._greeted = False

    def start(self) -> None:
        """Start the process ahead of the first picture, which is told what hinders it."""
        with contextlib.suppress(SalespipeError):
            self._process = self._started()

    def to_png(self, figure: Figure, scale: float = 1) -> bytes:
        """The figure as a picture of 1200x700, or of that times the scale.

        Raises:
            SalespipeError: kaleido cannot be started, or did not draw.
        """
        request = {"data": drawing(figure), "format": "png", "width": WIDTH, "height": HEIGHT, "scale": scale}
        return base64.b64decode(self._answer(request)["result"])

    def close(self) -> None:
        """End the process, if one was started."""
        if self._process is not None:
            _kill(self._process)
            with contextlib.suppress(BrokenPipeError), self._process:
                pass  # closes its pipes and waits for it
            self._process = None
            self._greeted = False
        if self._complaints is not None:
            self._complaints.close()
            self._complaints = None

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Kaleido's answer: a line for a line."""
        if self._process is None:
            self._process = self._started()
        if not self._greeted:
            self._line(self._process)  # or it says why it cannot start
            self._greeted = True
        return self._line(self._process, json.dumps(request).encode() + b"\n")

    def _started(self) -> subprocess.Popen[bytes]:
        command, folder, environment = _command()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (`close` closes it)
        try:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                start_new_session=True,  # so that its helpers can be ended with it
            )
        except OSError as error:
            self.close()
            raise _failure(str(error)) from error

    def _line(self, process: subprocess.Popen[bytes], line: bytes = b"") -> dict[str, Any]:
        """Say a line, hear the next one; whoever is silent for too long is ended."""
        assert process.stdin
        assert process.stdout
        begun = time.monotonic()
        guard = threading.Timer(SECONDS, _kill, [process])
        guard.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            heard = process.stdout.readline()
        except BrokenPipeError:
            heard = b""
        finally:
            guard.cancel()
        if not heard.endswith(b"\n"):
            late = time.monotonic() - begun >= SECONDS
            reason = f"no answer in {SECONDS} s" if late else self._complaint()
            self.close()  # the next picture starts another
            raise _failure(reason)
        answer = json.loads(heard)
        if answer.get("code"):
            if not line:
                self.close()
            raise _failure(answer["message"])
        return answer

    def _complaint(self) -> str:
        """The first thing that Chromium calls an error; traces and warnings surround it."""
        assert self._complaints
        self._complaints.seek(0)
        told = self._complaints.read().decode(errors="replace").splitlines()
        lines = [line for line in told if ":WARNING:" not in line] or ["it ended without a word"]
        return next((line for line in lines if ":ERROR:" in line or ":FATAL:" in line), lines[0])


class Renderers:
    """Several renderers, for pictures that are drawn at once; a second one starts when two are asked for at once."""

    def __init__(self, number: int) -> None:
        self._all = [Renderer() for _ in range(number)]
        self._free: LifoQueue[Renderer] = LifoQueue()
        for renderer in self._all:
            self._free.put(renderer)

    def start(self) -> None:
        """Start one ahead of the first picture."""
        self._all[-1].start()

    def to_png(self, figure: Figure, scale: float = 1) -> bytes:
        """As a renderer's, by one that is free."""
        renderer = self._free.get()
        try:
            return renderer.to_png(figure, scale)
        finally:
            self._free.put(renderer)

    def close(self) -> None:
        """End them all."""
        for renderer in self._all:
            renderer.close()


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


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _failure(reason: str) -> SalespipeError:
    return SalespipeError(f"A chart could not be drawn: {reason}.", HINT)
