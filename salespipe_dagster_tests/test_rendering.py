"""Figures as pictures and pages: sizes, the same bytes, no network, no process left, clear failures."""

import contextlib
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import kaleido
import plotly
import pytest
from plotly.graph_objects import Bar, Figure

from salespipe_dagster import rendering
from salespipe_dagster.rendering import Renderer
from salespipe_spark.errors import SalespipeError


def figure() -> Figure:
    meta = {"title": "Ål & <Co> lead", "alt": 'Bar chart of "sales". Ål & <Co> lead.'}
    return Figure(Bar(x=["Ål", "USA"], y=[1.5, 2]), {"meta": meta, "title": {"text": "Ål"}})


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    with contextlib.closing(Renderer()) as opened:
        yield opened


def size(png: bytes) -> tuple[int, int]:
    """Width and height from a PNG's header."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_picture_is_1200_by_700_at_scale_1(renderer: Renderer) -> None:
    assert [size(renderer.to_png(figure(), scale)) for scale in (1, 0.5)] == [(1200, 700), (600, 350)]


def test_same_figure_is_the_same_bytes(renderer: Renderer) -> None:
    """From one process and from another, first and later."""
    other = Figure(Bar(x=["a"], y=[3]), {"meta": {"title": "t", "alt": "a"}})
    with contextlib.closing(Renderer()) as second:
        assert len({renderer.to_png(figure()), renderer.to_png(figure()), second.to_png(figure())}) == 1
        assert renderer.to_png(other) == second.to_png(other) != second.to_png(figure())
    assert rendering.to_html(figure()) == rendering.to_html(figure())


def test_characters_that_no_picture_can_hold_are_left_out(renderer: Renderer) -> None:
    """A vertical tab comes with what is pasted from a spreadsheet: plotly.js fails over it, and so did every run."""
    odd = [chr(code) for code in (*range(32), 0xFFFE, 0xFFFF) if chr(code) not in "\t\n\r"]
    drawn = Figure(Bar(x=[f"a{''.join(odd)}b", r"C:\u000b"], y=[1, 2]), {"title": {"text": "Foo\x0bLtd"}})
    assert size(renderer.to_png(drawn)) == (1200, 700)
    values = rendering.drawing(drawn)
    assert values["layout"]["title"]["text"] == "Foo Ltd"
    assert values["data"][0]["x"] == [f"a{' ' * len(odd)}b", r"C:\u000b"]


def test_page_loads_nothing_from_a_network() -> None:
    page = rendering.to_html(figure()).decode()
    assert re.findall(r"<script[^>]*\ssrc|<link|<img|@import", page.split("<figure")[0]) == []
    assert re.findall(r"<script[^>]*\ssrc\s*=", page) == []
    assert len(page) > 3_000_000  # plotly.js is inside


def test_page_has_title_and_alternative_text() -> None:
    page = rendering.to_html(figure()).decode()
    assert "<title>Ål &amp; &lt;Co&gt; lead</title>" in page
    assert 'aria-label="Bar chart of &quot;sales&quot;. Ål &amp; &lt;Co&gt; lead."' in page
    assert 'id="chart"' in page


def started_by(mark: str) -> list[str]:
    """The living processes whose environment holds the mark."""
    found: list[str] = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # it ended in between
            if mark.encode() in environ.read_bytes():
                found.append(environ.parent.name)
    return found


def left_of(mark: str) -> list[str]:
    """Those that are still there a moment later: who is killed is gone soon, not at once."""
    deadline = time.monotonic() + 5
    while started_by(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return started_by(mark)


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("seconds", [120, 0.3])
def test_no_process_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seconds: float) -> None:
    """Also none of Chromium's helpers, which outlive it where it is killed while it draws."""
    monkeypatch.setenv("DRAWN_BY", str(tmp_path))
    monkeypatch.setattr(rendering, "SECONDS", seconds)
    with contextlib.closing(Renderer()) as renderer, contextlib.suppress(SalespipeError):
        renderer.to_png(figure())
        assert started_by(str(tmp_path))
    assert left_of(str(tmp_path)) == []


def test_draws_from_a_folder_with_a_space(tmp_path: Path) -> None:
    """Kaleido's own start script breaks there: it does not quote its folder, nor its arguments."""
    folder = tmp_path / "a venv"
    for package in (kaleido, plotly):
        source = Path(package.__file__).parent
        shutil.copytree(
            source, folder / source.name, copy_function=os.link if _linkable(source, tmp_path) else shutil.copy2
        )
    code = (
        "import kaleido, sys; from plotly.graph_objects import Figure;"
        "from salespipe_dagster.rendering import Renderer;"
        "assert ' ' in kaleido.__file__; renderer = Renderer();"
        "sys.stdout.buffer.write(renderer.to_png(Figure())); renderer.close()"
    )
    environment = {"PYTHONPATH": str(folder), "PATH": "/nowhere", "HOME": "/nowhere"}
    drawn = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert size(drawn.stdout) == (1200, 700)


def _linkable(source: Path, target: Path) -> bool:
    """Hard links save copying 200 MB; they need one file system."""
    return source.stat().st_dev == target.stat().st_dev


def test_missing_drawing_engine_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, renderer: Renderer
) -> None:
    (tmp_path / "executable").mkdir()
    monkeypatch.setattr(kaleido, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(SalespipeError, match=r"A chart could not be drawn.*No such file(.|\n)*make setup"):
        renderer.to_png(figure())


def test_process_that_is_started_ahead_draws_the_same_and_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run starts it before the tables are made."""
    monkeypatch.setenv("DRAWN_BY", str(tmp_path))
    with contextlib.closing(Renderer()) as ahead, contextlib.closing(Renderer()) as late:
        ahead.start()
        assert started_by(str(tmp_path))
        assert ahead.to_png(figure()) == late.to_png(figure())
    with contextlib.closing(Renderer()) as unused:
        unused.start()
    assert left_of(str(tmp_path)) == []


def test_what_hinders_the_start_is_told_with_the_first_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, renderer: Renderer
) -> None:
    """A run whose tables can be made is not stopped by its charts before they are."""
    (tmp_path / "executable").mkdir()
    monkeypatch.setattr(kaleido, "__file__", str(tmp_path / "__init__.py"))
    renderer.start()
    with pytest.raises(SalespipeError, match="A chart could not be drawn"):
        renderer.to_png(figure())


def test_drawing_engine_that_dies_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, renderer: Renderer) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with pytest.raises(SalespipeError, match=r"could not be drawn: .*ERROR.*/nowhere"):
        renderer.to_png(figure())


def test_drawing_engine_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, renderer: Renderer) -> None:
    """Its own words, not what Chromium complains of while it goes down."""
    command, *rest = rendering._command()
    monkeypatch.setattr(rendering, "_command", lambda: ([*command, "--plotlyjs=nowhere.js"], *rest))
    with pytest.raises(SalespipeError, match=r"could not be drawn: .*plotlyjs"):
        renderer.to_png(figure())


def test_drawing_engine_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, renderer: Renderer) -> None:
    monkeypatch.setattr(rendering, "SECONDS", 0.01)
    with pytest.raises(SalespipeError, match="no answer in"):
        renderer.to_png(figure())


def test_after_a_failure_the_next_picture_is_drawn(monkeypatch: pytest.MonkeyPatch, renderer: Renderer) -> None:
    """One figure that hangs costs its own chart, not those after it."""
    monkeypatch.setattr(rendering, "SECONDS", 0.01)
    with pytest.raises(SalespipeError):
        renderer.to_png(figure())
    monkeypatch.undo()
    assert size(renderer.to_png(figure())) == (1200, 700)


def test_many_pictures_come_from_one_process(renderer: Renderer) -> None:
    """Its start takes a second; a report has a dozen charts."""
    renderer.to_png(figure())
    first = renderer._process
    renderer.to_png(figure(), 0.5)
    assert renderer._process is first is not None
