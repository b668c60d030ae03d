"""The charts' I/O manager: a figure becomes a picture and a page in the lake's `charts` folder."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from plotly.graph_objects import Figure

from salespipe_dagster import rendering
from salespipe_dagster.rendering import Renderer
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.store import LocalStore

PREVIEW_SCALES = (0.75, 0.5, 0.25)
MOST_PREVIEW = 100_000
"""Characters of base64: Dagster's database keeps a preview twice."""


class ChartIOManager(dg.IOManager):
    """Stores figures as charts/<name>.png and .html below the lake's folder, each in one atomic step."""

    def __init__(self, root: Path, renderer: Renderer) -> None:
        self._store = LocalStore(root)
        self._renderer = renderer

    def handle_output(self, context: dg.OutputContext, obj: Figure) -> None:
        """Draw the figure and put both files in place; one whose bytes did not change is left alone."""
        name = context.asset_key.path[-1]
        page = rendering.to_html(obj)
        picture, *smaller = self._renderer.to_png(obj, 1, *PREVIEW_SCALES)
        with self._store.writing(), self._store.locked("charts"):
            # The picture last: a chart is as old as its picture, for the night's plan.
            self._put(f"charts/{name}.html", page)
            self._put(f"charts/{name}.png", picture)
        context.add_output_metadata(
            {
                "finding": rendering.title(obj),
                "preview": dg.MetadataValue.md(_preview(rendering.alt_text(obj), smaller)),
                "picture": dg.PathMetadataValue(self._store.path(f"charts/{name}.png")),
                "page": dg.PathMetadataValue(self._store.path(f"charts/{name}.html")),
            }
        )

    def load_input(self, context: dg.InputContext) -> Path:
        """Where the chart's picture lies.

        Raises:
            SalespipeError: the chart was never drawn.
        """
        name = context.asset_key.path[-1]
        path = self._store.path(f"charts/{name}.png")
        if not path.exists():
            raise SalespipeError(f"No chart at {path}.", f"salespipe run --select charts/{name}")
        return path

    def _put(self, key: str, content: bytes) -> None:
        self._store.put(key, content)


def charts_io(settings: Settings) -> dg.IOManagerDefinition:
    """The charts' I/O manager of a run, all of whose pictures one process draws."""

    # Dagster runs a generator to its end when the run is over; its types do not say so.
    @dg.io_manager(description="Draws charts into the lake's folder.")  # pyright: ignore[reportArgumentType]
    def charts(_: dg.InitResourceContext) -> Iterator[ChartIOManager]:
        with contextlib.closing(Renderer()) as renderer:
            yield ChartIOManager(settings.lake, renderer)

    return charts


def _preview(alt: str, pictures: list[bytes]) -> str:
    """The largest picture that is small enough, as Markdown."""
    caption = "".join(" " if character in "[]\n" else character for character in alt)
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    image = next((text for text in encoded if len(text) <= MOST_PREVIEW), "")
    return f"![{caption}](data:image/png;base64,{image})" if image else caption
