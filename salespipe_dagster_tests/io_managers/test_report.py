"""The report's I/O manager: the page in place, an unchanged one left alone, a missing one named."""

from pathlib import Path

import dagster as dg
import pytest

from salespipe_dagster.io_managers.report import ReportIOManager, report_io
from salespipe_dagster.settings import Settings
from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.local import LocalStore


def store(root: Path, page: bytes) -> dict[str, dg.MetadataValue]:
    """Materialise the report, and what Dagster was told of it."""

    @dg.asset(key=["report"], io_manager_key="report_io")
    def report() -> bytes:
        return page

    result = dg.materialize([report], resources={"report_io": report_io(Settings.checked(lake_url=str(root)))})
    (event,) = result.get_asset_materialization_events()
    return dict(event.materialization.metadata)


def test_page_is_in_the_report_folder_and_in_the_metadata(tmp_path: Path) -> None:
    metadata = store(tmp_path, b"<p>page")
    assert (tmp_path / "report" / "index.html").read_bytes() == b"<p>page"
    assert metadata["page"].value == str(tmp_path / "report" / "index.html")
    assert metadata["bytes"].value == 7


def test_unchanged_page_is_not_rewritten_and_changed_one_is(tmp_path: Path) -> None:
    file = tmp_path / "report" / "index.html"
    stamps: list[int] = []
    for page in (b"one", b"one", b"two"):
        store(tmp_path, page)
        stamps.append(file.stat().st_ino)
    assert stamps[0] == stamps[1] != stamps[2]
    assert [each.name for each in file.parent.iterdir()] == ["index.html"]


def test_downstream_asset_is_given_the_file(tmp_path: Path) -> None:
    store(tmp_path, b"page")
    context = dg.build_input_context(asset_key=dg.AssetKey(["report"]))
    assert ReportIOManager(LocalStore(tmp_path)).load_input(context) == str(tmp_path / "report" / "index.html")


def test_report_that_was_never_made_names_itself_and_the_command(tmp_path: Path) -> None:
    context = dg.build_input_context(asset_key=dg.AssetKey(["report"]))
    with pytest.raises(SalespipeError, match=r"report/index\.html(.|\n)*--select report"):
        ReportIOManager(LocalStore(tmp_path)).load_input(context)


def test_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("in the way")
    with pytest.raises(SalespipeError, match=r"cannot be written: .*report(.|\n)*SALESPIPE_LAKE_URL"):
        store(tmp_path, b"page")
