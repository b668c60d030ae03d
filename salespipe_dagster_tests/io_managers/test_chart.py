"""The charts' I/O manager: both files in place, unchanged ones left alone, a preview that is small enough."""

import re
from pathlib import Path

import dagster as dg
import pytest
from plotly.graph_objects import Bar, Figure, Heatmap

from salespipe_dagster.io_managers.chart import MOST_PREVIEW, ChartIOManager, charts_io
from salespipe_dagster.partitions import range_tags
from salespipe_dagster.rendering import Renderer, Renderers
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore

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


def store_months(root: Path, asked: list[str], drawn: dict[str, Figure]) -> dict[str, dict[str, dg.MetadataValue]]:
    """Materialise a chart of each month for a range, and what Dagster was told of each of its months."""

    @dg.asset(
        key=["charts", "review"],
        io_manager_key="charts_io",
        partitions_def=dg.MonthlyPartitionsDefinition("2024-01", fmt="%Y-%m", end_date="2024-07"),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def review() -> dict[str, Figure]:
        return drawn

    io = charts_io(Settings.checked(lake_url=str(root)))
    result = dg.materialize([review], resources={"charts_io": io}, tags=range_tags(asked))
    return {
        str(event.partition): dict(event.materialization.metadata)
        for event in result.get_asset_materialization_events()
    }


def state(root: Path) -> dict[str, tuple[int, int]]:
    """Every file's inode and time: both change when a file is replaced."""
    return {p.name: (p.stat().st_ino, p.stat().st_mtime_ns) for p in sorted((root / "charts").iterdir())}


def test_picture_and_page_are_in_the_charts_folder_and_in_the_metadata(tmp_path: Path) -> None:
    metadata = store(tmp_path, figure())
    assert sorted(state(tmp_path)) == ["sales.html", "sales.png"]
    assert metadata["picture"].value == str(tmp_path / "charts" / "sales.png")
    assert metadata["page"].value == str(tmp_path / "charts" / "sales.html")
    assert metadata["finding"].value == "USA leads"


def test_chart_of_each_month_has_its_files_in_a_folder_of_its_own(tmp_path: Path) -> None:
    told = store_months(tmp_path, ["2024-02", "2024-03"], {m: figure() for m in ("2024-02", "2024-03", "2024-04")})
    files = sorted(path.name for path in (tmp_path / "charts" / "review").iterdir())
    pictures = [f"2024-0{month}.{suffix}" for month in (2, 3, 4) for suffix in ("html", "png")]
    assert files == [*pictures, "plotly.min.js"]
    # April was drawn because it shows March; it is no month of this run, and its last preview is March's.
    assert sorted(told) == ["2024-02", "2024-03"]
    assert [str(each["picture"].value)[-11:] for each in told.values()] == ["2024-02.png", "2024-03.png"]
    assert ["preview" in each for each in told.values()] == [False, True]


def test_pages_of_each_month_share_the_script_beside_them(tmp_path: Path) -> None:
    """Within each it would be 5 MB a month."""
    store_months(tmp_path, ["2024-02"], {"2024-02": figure()})
    page = (tmp_path / "charts" / "review" / "2024-02.html").read_text()
    assert re.findall(r'<script[^>]*src="([^"]+)"', page) == ["plotly.min.js"]
    assert len(page) < 50_000
    assert (tmp_path / "charts" / "review" / "plotly.min.js").stat().st_size > 3_000_000


def test_downstream_asset_of_a_chart_of_each_month_is_given_the_folder(tmp_path: Path) -> None:
    store_months(tmp_path, ["2024-02"], {"2024-02": figure()})
    context = dg.build_input_context(asset_key=dg.AssetKey(["charts", "review"]))
    assert ChartIOManager(LocalStore(tmp_path), Renderers(1)).load_input(context) == str(tmp_path / "charts" / "review")


def test_preview_that_is_small_enough_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each picture costs a tenth of a second, of each chart in each run."""
    scales: list[float] = []
    draw = Renderer.to_png
    monkeypatch.setattr(Renderer, "to_png", lambda self, f, scale=1: (scales.append(scale), draw(self, f, scale))[1])
    store(tmp_path, figure())
    assert scales == [1, 0.75]
    scales.clear()
    store(tmp_path, noise(150, 100))
    assert 0.75 not in scales  # what is too large by far is not tried


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
    assert ChartIOManager(LocalStore(tmp_path), Renderers(1)).load_input(context) == str(
        tmp_path / "charts" / "sales.png"
    )


def test_chart_that_was_never_drawn_names_itself_and_the_command(tmp_path: Path) -> None:
    context = dg.build_input_context(asset_key=dg.AssetKey(["charts", "sales"]))
    with pytest.raises(SalespipeError, match=r"charts/sales\.png(.|\n)*--select charts/sales"):
        ChartIOManager(LocalStore(tmp_path), Renderers(1)).load_input(context)


def test_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "charts").write_text("in the way")
    with pytest.raises(SalespipeError, match=r"cannot be written: .*charts(.|\n)*SALESPIPE_LAKE_URL"):
        store(tmp_path, figure())
