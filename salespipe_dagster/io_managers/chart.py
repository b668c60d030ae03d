"""The charts' I/O manager: a figure becomes a picture and a page in the lake's `charts` folder."""

import base64
import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dagster as dg
from plotly.graph_objects import Figure

from salespipe_dagster import rendering
from salespipe_dagster.rendering import Renderers
from salespipe_dagster.resources.lake import lake_store
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Store

PREVIEW_SCALES = (0.75, 0.5, 0.25)
MOST_PREVIEW = 100_000
"""Characters of base64: Dagster's database keeps a preview twice."""

HOPELESS = 1.1 * MOST_PREVIEW * 3 / 4
"""Bytes: a smaller picture has about as many as the scale says, and one of more than these is not tried."""

AT_ONCE = 2
"""Pictures drawn at once: each needs a process of its own, and a core."""

PLOTLY = "plotly.min.js"
"""What the pages of a monthly chart load from their folder: within each it would be 5 MB a month."""


class ChartIOManager(dg.IOManager):
    """Stores figures as .png and .html below the lake's folder, each in one atomic step.

    A chart is charts/<name>, the chart of a month charts/<name>/<month>.
    """

    def __init__(self, store: Store, renderer: Renderers) -> None:
        self._store = store
        self._renderer = renderer

    def handle_output(self, context: dg.OutputContext, obj: Figure | Mapping[str, Figure]) -> None:
        """Draw a figure, or one for each month, and put the files in place; what did not change is left alone."""
        key = f"charts/{context.asset_key.path[-1]}"
        if isinstance(obj, Figure):
            drawn = self._draw(key, obj, rendering.to_html(obj))
            context.add_output_metadata(drawn | self._preview(key, obj))
            return
        with self._store.writing(), self._store.locked("charts"):
            self._store.put(f"{key}/{PLOTLY}", rendering.plotly_js())
        asked = context.asset_partition_keys

        def draw(month: str) -> dict[str, Any]:
            return self._draw(f"{key}/{month}", obj[month], rendering.to_html(obj[month], script=PLOTLY))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            told = list(pool.map(draw, obj))
        for (month, figure), drawn in zip(obj.items(), told, strict=True):
            if month in asked:
                last = self._preview(f"{key}/{month}", figure) if month == asked[-1] else {}
                context.step_context.add_asset_metadata(drawn | last, asset_key=context.asset_key, partition_key=month)

    def load_input(self, context: dg.InputContext) -> str:
        """Where the chart's picture lies; of a chart of each month, the folder of its pictures.

        Raises:
            SalespipeError: the chart was never drawn.
        """
        name = context.asset_key.path[-1]
        picture, folder = f"charts/{name}.png", f"charts/{name}"
        found = picture if self._store.entry(picture) else folder if self._store.list(folder, ".png") else ""
        if not found:
            raise SalespipeError(f"No chart at {self._store.uri(picture)}.", f"salespipe run --select charts/{name}")
        return self._store.uri(found)

    def _draw(self, key: str, figure: Figure, page: bytes) -> dict[str, Any]:
        """Both files in place, and what Dagster is told of them."""
        picture = self._renderer.to_png(figure)
        with self._store.writing(), self._store.locked("charts"):
            # The picture last: a chart is as old as its picture, for the night's plan.
            self._store.put(f"{key}.html", page)
            self._store.put(f"{key}.png", picture)
        return {
            "finding": rendering.title(figure),
            "picture": dg.MetadataValue.path(self._store.uri(f"{key}.png")),
            "page": dg.MetadataValue.path(self._store.uri(f"{key}.html")),
        }

    def _preview(self, key: str, figure: Figure) -> dict[str, Any]:
        """The largest picture that is small enough, as Markdown."""
        alt = "".join(" " if character in "[]\n" else character for character in rendering.alt_text(figure))
        drawn = self._store.entry(f"{key}.png")
        scales = [scale for scale in PREVIEW_SCALES if drawn and drawn.size * scale <= HOPELESS]
        pictures = (self._renderer.to_png(figure, scale) for scale in scales)  # no more than are needed
        encoded = (base64.b64encode(picture).decode() for picture in pictures)
        image = next((text for text in encoded if len(text) <= MOST_PREVIEW), "")
        return {"preview": dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{image})" if image else alt)}


def charts_io(settings: Settings) -> dg.IOManagerDefinition:
    """The charts' I/O manager of a run, all of whose pictures one process draws."""

    # Dagster runs a generator to its end when the run is over; its types do not say so.
    @dg.io_manager(description="Draws charts into the lake's folder.")  # pyright: ignore[reportArgumentType]
    def charts(_: dg.InitResourceContext) -> Iterator[ChartIOManager]:
        with contextlib.closing(Renderers(AT_ONCE)) as renderer:
            renderer.start()  # which takes a second, while others are at work
            yield ChartIOManager(lake_store(settings), renderer)

    return charts
