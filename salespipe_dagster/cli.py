"""The `salespipe` command: a thin client of the same definitions that Dagster loads."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from salespipe_dagster.company_cli import company
from salespipe_dagster.quarantine_cli import quarantine
from salespipe_dagster.settings import DEMO_HOME, Settings
from salespipe_dagster.terminal import console, errors, progress_of_parts, show_places
from salespipe_dagster.terminal import grid as _grid

if TYPE_CHECKING:  # Dagster takes seconds to import, and `--help` does without
    from salespipe_dagster.runner import Outcome
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError


class Command(click.Group):
    """A group whose commands end with one clear message, and no stack, where the user can mend it."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SalespipeError as error:
            errors.print(f"[bold red]error:[/] {escape(str(error))}")
            sys.exit(1)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="salespipe")
def main() -> None:
    """From a shop's database to monthly sales figures and charts, exact to the cent."""


main.add_command(company)
main.add_command(quarantine)


@main.command()
def demo() -> None:
    """Make a company, run every month, show what came out. Lives in .salespipe/demo, harms nothing."""
    settings = Settings.embedded(DEMO_HOME)
    _run(settings, settings.months, "*")
    console.print("\nNext: [bold]make dev[/] opens the Dagster UI on it,")
    console.print(f"      [bold]SALESPIPE_HOME={DEMO_HOME} salespipe verify[/] proves every figure.")


@main.command()
@click.option("--months", "span", metavar="A...B", help="The months to run: 2024-05 or 2024-02...2024-07; default all.")
@click.option("--select", default="*", show_default=True, help="Assets, in Dagster's selection syntax.")
def run(span: str | None, select: str) -> None:
    """Run months of what is configured; exit code 0 only if all is published and reconciled."""
    settings = Settings.load()
    _run(settings, _span(span, settings), select)


@main.command()
@click.option("--months", "span", metavar="A...B", help="The months to verify; default all.")
def verify(span: str | None) -> None:
    """Read lake, source and files again and hold them against the receipts; changes nothing.

    What the synthetic company made is held against its own books as well.
    """
    from salespipe_dagster.resources.engine import open_engine
    from salespipe_dagster.resources.files import files_store
    from salespipe_dagster.resources.lake import lake_store
    from salespipe_dagster.resources.source_db import SourceDatabase
    from salespipe_dagster.synthetic.configured import dropped_by, shop_of
    from salespipe_dagster.verify import verify as verified
    from salespipe_dagster.verify_online import off_the_shops_books
    from salespipe_spark.lake.lake import Lake

    settings = Settings.load()
    chosen = _span(span, settings)
    show_places(settings)
    with open_engine(settings) as engine, console.status("reading lake and source"):
        lake, source = Lake(lake_store(settings), engine), SourceDatabase(settings.source)
        files = files_store(settings)
        verdicts, unbalanced = verified(lake, source, chosen, files=files, ledgers=settings.synthetic)
        broken = any(verdict.problems for verdict in verdicts)  # which is named below
        if settings.drops_files and not broken and (company := source.made_by()):
            unbalanced += off_the_shops_books(lake, shop_of(settings), dropped_by(settings, company), chosen)
    grid = _grid("table", "parts", "rows", "verdict")
    for verdict in verdicts:
        name = f"{verdict.table.layer}/{verdict.table.name}"
        text = "; ".join(verdict.problems[:3]) + (" …" if len(verdict.problems) > 3 else "")
        grid.add_row(name, str(verdict.parts), f"{verdict.rows:,}", escape(text) or "[green]proven[/]")
    console.print(grid)
    for line in unbalanced:
        errors.print(f"[bold red]not balanced:[/] {escape(line)}")
    if unbalanced or any(verdict.problems for verdict in verdicts):
        raise SalespipeError("The lake is not what its receipts and its source say.", "salespipe run")
    console.print("Every table is what its receipts say, and the source is what was read.")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of what, ok, found and next.")
def doctor(*, as_json: bool) -> None:
    """Tell what is configured, what is reachable and what is missing, each with the next command."""
    from salespipe_dagster.doctor import examine

    with errors.status("looking"):
        findings = examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        grid = _grid("", "what", "found", "next")
        for finding in findings:
            good = "[yellow]ok[/]" if finding.next else "[green]ok[/]"
            mark = good if finding.ok else "[bold red]no[/]"
            grid.add_row(mark, finding.what, escape(finding.found), escape(finding.next))
        console.print(grid)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@main.command()
@click.option("--to", "folder", default="dist", show_default=True, help="The folder to write it to.")
def bundle(folder: str) -> None:
    """Write the code of the job that makes one table on a cluster: a zip and a script for spark-submit.

    A run with SALESPIPE_ENGINE=emr-serverless or glue sends it there by itself.
    """
    from salespipe_dagster.cluster import bundle as code

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in code.files().items():
        (target / name).write_bytes(content)
    console.print(f"[bold]{escape(str(target / code.ARCHIVE))}[/] and [bold]{escape(str(target / code.SCRIPT))}[/]")
    console.print("\nFor example, on a cluster that reads the lake:", highlight=False)
    command = "spark-submit --py-files {} {} --lake s3a://bucket/prefix --table fact_orders --months 2024-01...2024-12"
    console.print(escape(command.format(target / code.ARCHIVE, target / code.SCRIPT)), soft_wrap=True, highlight=False)
    console.print("  --target s3a://bucket/an/unused/prefix", highlight=False)


@main.command()
def dictionary() -> None:
    """Print the data dictionary, in Markdown: every table, its columns and where they come from."""
    from salespipe_spark.dictionary import dictionary as made

    click.echo(made(), nl=False)


@main.command()
@click.option("--port", default=3000, show_default=True, help="The port of the UI, on this machine alone.")
def dev(port: int) -> None:
    """Open the Dagster UI on what is configured, or on the demo where nothing is."""
    from salespipe_dagster import records

    settings = Settings.configured_or_demo()
    show_places(settings)
    records.instance(settings).dispose()
    command = [sys.executable, "-m", "dagster", "dev", "-m", "salespipe_dagster.definitions", "-p", str(port)]
    os.execve(sys.executable, command, settings.environment())


def _run(settings: Settings, span: list[str], select: str) -> None:
    from salespipe_dagster import runner
    from salespipe_dagster.advance import ahead_of_the_company
    from salespipe_dagster.definitions import build_defs

    show_places(settings)
    with progress_of_parts() as progress:
        task = progress.add_task("starting", total=None)
        begun, current = 0, ""

        def on_step(step: str, steps: int) -> None:
            nonlocal begun, current
            current = step.replace("__", "/")
            progress.update(task, description=current, total=steps, completed=begun)
            begun += 1

        def on_part(said: str, share: float) -> None:
            progress.update(task, description=f"{current}: {said}", completed=begun - 1 + share)

        outcome = runner.run(build_defs(settings, on_part=on_part), settings, span, select, on_step)
        progress.update(task, description="done" if not outcome.problems else "failed", completed=begun)
    if settings.synthetic and not outcome.problems and (told := ahead_of_the_company(settings)):
        outcome.notes.append(told)
    _summary(settings, outcome)
    if outcome.problems:
        for problem in outcome.problems:
            errors.print(f"[bold red]error:[/] {escape(problem)}")
        errors.print(f"run {outcome.run_id}; details: salespipe dev")
        sys.exit(1)


def _summary(settings: Settings, outcome: "Outcome") -> None:
    from salespipe_dagster.io_managers.report import KEY as REPORT
    from salespipe_dagster.resources.lake import lake_store

    grid = _grid("table", "parts", "replaced", "rows", f"amount {settings.currency}")
    for column in grid.columns[1:]:
        column.justify = "right"
        column.no_wrap = True
    for entry in outcome.tables.values():
        amount = "" if entry.amount is None else f"{entry.amount:,.2f}"
        grid.add_row(entry.table.name, str(entry.parts), str(entry.replaced), f"{entry.rows:,}", amount)
    if outcome.tables:
        console.print(grid)
    for note in outcome.notes:
        console.print(f"note: {escape(note)}")
    lake = lake_store(settings)
    names = sorted({key.split("/")[1].removesuffix(".png") for key in lake.list("charts", ".png")})
    if names:
        console.print(f"\nCharts, each as .png and .html, in {escape(lake.uri('charts'))}:", soft_wrap=True)
        console.print("  " + ", ".join(names))
    if lake.entry(REPORT):
        console.print(f"\nThe report, for a browser: {escape(lake.uri(REPORT))}", soft_wrap=True)


def _span(text: str | None, settings: Settings) -> list[str]:
    """The months that the option names, each a configured one."""
    if text is None:
        return settings.months
    first, dots, last = text.partition("...")
    first, last = months.parse(first), months.parse(last if dots else first)
    hint = f"configured are {settings.first_month}...{settings.last_month}"
    if last < first:
        raise SalespipeError(f"--months {text}: the last month is before the first.", "write the earlier one first")
    if first < settings.first_month or last > settings.last_month:
        raise SalespipeError(f"--months {text} lies outside the configured months.", hint)
    return months.between(first, last)
