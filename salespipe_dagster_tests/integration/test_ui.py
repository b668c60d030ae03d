"""The Dagster UI in a real browser: materialise a month, backfill a range, find out why a check failed."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from salespipe_dagster_tests.integration.browser import chromium
from salespipe_dagster_tests.integration.pipeline import COMMAND, environment, run, salespipe
from salespipe_dagster_tests.mariadb_server import free_port

WITHIN = 180.0
"""Seconds for whatever the UI is asked."""
SETTINGS = {"start_month": "2024-01", "end_month": "2024-03"}
RUNS = "{runsOrError{... on Runs{results{runId status tags{key value}}}}}"


@dataclass
class Ui:
    """A running UI, and the lake's home that it is on."""

    url: str
    home: Path

    def ask(self, query: str) -> dict[str, Any]:
        """What its GraphQL answers."""
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=WITHIN) as answer:
            return json.load(answer)["data"]

    def runs(self) -> list[dict[str, Any]]:
        """All runs, the newest first."""
        return self.ask(RUNS)["runsOrError"]["results"]

    def run_after(self, known: list[dict[str, Any]]) -> dict[str, Any]:
        """The one run that was not known, when it is over."""
        end = time.monotonic() + WITHIN
        while time.monotonic() < end:
            new = [each for each in self.runs() if each["runId"] not in {k["runId"] for k in known}]
            if new and all(each["status"] in ("SUCCESS", "FAILURE", "CANCELED") for each in new):
                (only,) = new
                return only
            time.sleep(0.5)
        raise AssertionError("The run did not end.")


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """The UI on three months of the company."""
    home = tmp_path_factory.mktemp("ui") / "a home"
    run(home=home, **SETTINGS)
    port = free_port()
    log = home / "ui.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [COMMAND, "dev", "--port", str(port)],
            env=environment(home, **SETTINGS),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    ui = Ui(f"http://127.0.0.1:{port}", home)
    try:
        _await_start(ui, process, log)
        yield ui
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="module")
def browser(ui: Ui) -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1600, "height": 1000})
    page.set_default_timeout(WITHIN * 1000)
    yield page
    page.close()


def test_month_is_materialised(ui: Ui, page: Page) -> None:
    known = ui.runs()
    materialise(ui, page, "marts/revenue_by_country", "2024-02")
    done = ui.run_after(known)
    assert done["status"] == "SUCCESS"
    assert {"key": "dagster/partition", "value": "2024-02"} in done["tags"]


def test_range_is_backfilled_by_one_run(ui: Ui, page: Page) -> None:
    known = ui.runs()
    materialise(ui, page, "core/fact_orders", "[2024-01...2024-03]")
    done = ui.run_after(known)
    assert done["status"] == "SUCCESS"
    tags = {tag["key"]: tag["value"] for tag in done["tags"]}
    assert tags["dagster/asset_partition_range_start"] == "2024-01"
    assert tags["dagster/asset_partition_range_end"] == "2024-03"


def test_reason_of_a_failed_check_is_two_clicks_away(ui: Ui, page: Page) -> None:
    """A product that the source lost: its lines have no cost, and the month is not published."""
    with sqlite3.connect(ui.home / "source.db") as source:
        code = source.execute("SELECT productCode FROM orderdetails ORDER BY 1 LIMIT 1").fetchone()[0]
        source.execute("DELETE FROM products WHERE productCode = ?", (code,))
    select = "key:staging/products or key:core/dim_products or key:core/fact_orders"
    assert salespipe("run", "--months", "2024-01", "--select", select, home=ui.home, **SETTINGS).returncode == 1
    page.goto(f"{ui.url}/assets/core/fact_orders")
    page.get_by_role("tab", name="Checks").or_(page.get_by_role("link", name="Checks")).first.click()
    page.get_by_text("not_null", exact=True).first.click()
    expect(page.get_by_text("cost_amount: ").first).to_be_visible()
    expect(page.get_by_text("no NULLs").first).to_be_visible()


def materialise(ui: Ui, page: Page, asset: str, partitions: str) -> None:
    """What a user clicks: Materialize, the partitions, Launch."""
    page.goto(f"{ui.url}/assets/{asset}")
    page.get_by_role("button", name="Materialize").first.click()
    box = page.get_by_placeholder("ex: ").first
    box.fill(partitions)
    box.press("Enter")
    page.get_by_role("button", name="Launch").first.click()


def _await_start(ui: Ui, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WITHIN
    while process.poll() is None and time.monotonic() < end:
        try:
            ui.runs()
        except (OSError, KeyError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(log.read_text()[-2000:])
