"""The charts' I/O manager: both files in place, unchanged ones left alone, a preview that is small enough."""

import re
from pathlib import Path

import dagster as dg
import pytest
from plotly.graph_objects import Bar, Figure, Heatmap

from salespipe_dagster.io_managers.chart import MOST_PREVIEW, ChartIOManager, charts_io
from salespipe_dagster.rendering import Renderer
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError

META = {"title": "USA leads", "alt": "Bar chart [of]\nsales."}


def figure(value: float = 1.0) -> Figure:
    return Figure(Bar(x=["USA"], y=[value]), {"meta": META})


def store(root: Path, drawn: Figure) -> dict[str, dg.MetadataValue]:
    """Materialise a chart, and what Dagster was told of it."""

    @dg.asset(key=["charts", "sales"], io_manager_key="charts_io")
    def sales() -> Figure:
        return drawn

    result = dg.materialize([sales], resources={"charts_io": charts_io(Settings.checked(lake_url=str(root)))})
    (event,) = result.get_asset_materialization_events()
    return dict(event.materialization.metadata)


def state(root: Path) -> dict[str, tuple[int, int]]:
    """Every file's inode and time: both change when a file is replaced."""
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in sorted((root / "charts").iterdir())}


def test_picture_and_page_are_in_the_charts_folder_and_in_the_metadata(tmp_path: Path) -> None:
    metadata = store(tmp_path, figure())
    assert sorted(state(tmp_path)) == ["sales.html", "sales.png"]
    assert metadata["picture"].value == str(tmp_path / "charts" / "sales.png")
    assert metadata["page"].value == str(tmp_path / "charts" / "sales.html")
    assert metadata["finding"].value == "USA leads"


def test_unchanged_chart_is_not_rewritten_and_changed_one_is(tmp_path: Path) -> None:
    store(tmp_path, figure())
    before = state(tmp_path)
    store(tmp_path, figure())
    assert state(tmp_path) == before
    store(tmp_path, figure(2))
    after = state(tmp_path)
    assert all(after[name] != before[name] for name in before)


def test_draft_of_a_killed_run_is_gone_after_the_next(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "_sales.png.draft").write_bytes(b"half")
    store(tmp_path, figure())
    assert sorted(state(tmp_path)) == ["sales.html", "sales.png"]


def noise(columns: int, rows: int) -> Figure:
    return Figure(Heatmap(z=[[(x * y * 7919) % 101 for x in range(columns)] for y in range(rows)]), {"meta": META})


def test_preview_shows_the_picture_in_at_most_100_kb(tmp_path: Path) -> None:
    text = str(store(tmp_path, noise(150, 100))["preview"].value)
    found = re.fullmatch(r"!\[Bar chart  of  sales\.\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", text)
    assert found is not None
    assert len(found[1]) <= MOST_PREVIEW < (tmp_path / "charts" / "sales.png").stat().st_size


def test_preview_is_words_where_no_picture_is_small_enough(tmp_path: Path) -> None:
    assert store(tmp_path, noise(300, 200))["preview"].value == "Bar chart  of  sales."


def test_downstream_asset_is_given_the_picture(tmp_path: Path) -> None:
    store(tmp_path, figure())
    context = dg.build_input_context(asset_key=dg.AssetKey(["charts", "sales"]))
    assert ChartIOManager(tmp_path, Renderer()).load_input(context) == tmp_path / "charts" / "sales.png"


def test_chart_that_was_never_drawn_names_itself_and_the_command(tmp_path: Path) -> None:
    context = dg.build_input_context(asset_key=dg.AssetKey(["charts", "sales"]))
    with pytest.raises(SalespipeError, match=r"charts/sales\.png(.|\n)*--select charts/sales"):
        ChartIOManager(tmp_path, Renderer()).load_input(context)


def test_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("in the way")
    with pytest.raises(SalespipeError, match=r"cannot be written: .*charts(.|\n)*SALESPIPE_LAKE_URL"):
        store(tmp_path, figure())
