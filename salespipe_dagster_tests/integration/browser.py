"""The machine's own Chromium, and the report in it: it must be silent and must ask nobody for anything."""

import contextlib
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from salespipe_dagster_tests.support import require

OVERLAPPING = """(seen, wide, high) => seen.flatMap(([one, a], i) => seen.slice(i + 1)
  .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > wide
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > high)
  .map(([other]) => `${one} / ${other}`))"""
"""Pairs of texts, each with its box, that lie over each other by more pixels than these."""

OVERLAPS = f"""() => {{
  // Texts as they are seen: their own boxes, not those of what holds them.
  const seen = [];
  for (const node of document.querySelectorAll(
    "h1, h2, h3 span, .tick, .bars .name, .amount, .share, .tile .label, .tile strong, .change, .whole, .kind, " +
    ".note, .legend span, #coverage, #selection, #filters > label, .choice summary, button, footer")) {{
    const box = node.getBoundingClientRect();
    const text = node.textContent.trim();
    if (text && box.width > 0 && box.height > 0) seen.push([text, box]);
  }}
  return ({OVERLAPPING})(seen, 1, 2);
}}"""

OUTSIDE = """() => [...document.querySelectorAll("svg text, .tile *, .bars *, h2, h3 span, #filters > *")]
  .filter((node) => node.getBoundingClientRect().right > innerWidth + 1 || node.getBoundingClientRect().left < -1)
  .map((node) => node.textContent)"""


@contextlib.contextmanager
def chromium() -> Generator[Browser]:
    """The browser; Playwright takes the thread's event loop, which Dagster's runs in this process want too."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    require(program, "there is no chromium: apt-get install --no-install-recommends chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@dataclass
class Report:
    """An open report, as its reader sees and works it."""

    page: Page

    @property
    def ready(self) -> int:
        """Milliseconds from the start of the navigation until every filter works."""
        return int(self.page.evaluate("document.documentElement.dataset.ready"))

    def title(self, card: str) -> str:
        return self.page.locator(f"#{card} > h2").inner_text()

    def key(self, name: str) -> str:
        """A key figure of the last month, as it is shown."""
        return self.page.locator(f"#key-{name} strong").inner_text()

    def whole(self, name: str) -> str:
        """The key figure of the whole period."""
        return self.page.locator(f"#key-{name} .whole b").inner_text()

    def changes(self, name: str) -> list[str]:
        """Against the month before and the year before."""
        return self.page.locator(f"#key-{name} .change").all_inner_texts()

    def rows(self, card: str) -> list[list[str]]:
        """The table behind a chart, its sum included."""
        cells = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        return self.page.locator(f"#{card} details.figures >> nth=0 >> tbody tr, tfoot tr").evaluate_all(cells)

    def choose(self, menu: str, *names: str) -> None:
        """Tick names in a menu, as a reader does."""
        self.page.locator(f"#{menu} summary").click()
        for name in names:
            self.page.locator(f"#{menu} .menu label", has_text=name).click()
        self.page.keyboard.press("Escape")

    def overlaps(self) -> list[str]:
        """Pairs of texts whose boxes lie over each other."""
        return self.page.evaluate(OVERLAPS)

    def outside(self) -> list[str]:
        """Texts that lie beside the page."""
        return self.page.evaluate(OUTSIDE)


@contextlib.contextmanager
def opened(browser: Browser, file: Path, fragment: str = "", **context: Any) -> Generator[Report]:
    """The report in a page of its own; in the end it has said nothing, failed nowhere, and asked nobody."""
    said: list[str] = []
    asked: set[str] = set()
    with contextlib.closing(browser.new_context(**context)) as own:
        page = own.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: asked.add(request.url.partition("#")[0]))
        page.goto(f"{file.as_uri()}{fragment}")
        yield Report(page)
    assert said == []
    assert asked == {file.as_uri()}


def cents(text: str) -> Decimal:
    """An amount as it is shown."""
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))
