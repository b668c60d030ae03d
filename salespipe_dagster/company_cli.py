"""`salespipe company`: the synthetic company that makes the tables of the source, moved forward by days."""

import click

from salespipe_dagster.settings import Settings
from salespipe_dagster.terminal import console, progress_of_parts, show_places
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError


@click.group()
def company() -> None:
    """The synthetic company that makes the tables of the source."""


@company.command()
@click.option("--days", type=click.IntRange(min=1), required=True, help="How many days pass.")
def advance(days: int) -> None:
    """Move the company forward: orders are shipped or cancelled, payments come in, new days bring orders and files.

    Of what is configured, or of the demo where nothing is. New orders and payments are written where the
    days lie within the configured months, or within others that are in the source already.
    """
    from salespipe_dagster.advance import advance as advanced
    from salespipe_dagster.resources.source_db import SourceDatabase

    settings = Settings.configured_or_demo()
    show_places(settings)
    if not settings.synthetic:
        hint = "set SALESPIPE_SOURCE_MODE=synthetic, or SALESPIPE_HOME to the home of a synthetic company"
        raise SalespipeError("The source is an external database: there is no synthetic company in it.", hint)
    with progress_of_parts(transient=True) as progress:
        task = progress.add_task("starting", total=None)

        def on_part(part: str, parts: int) -> None:
            progress.update(task, description=part, total=parts)
            progress.advance(task)

        moved = advanced(SourceDatabase(settings.source), settings, days, on_part)
    console.print(f"The company's day was {moved.before.today} and is {moved.after.today}.")
    for table, changed in moved.changed.items():
        console.print(f"  {table} changed in {months.describe(changed)}")
    if moved.files:
        console.print(f"  {len(moved.files)} files were dropped in {settings.files}", soft_wrap=True)
    if not moved.changed and not moved.files:
        console.print("Nothing changed.")
    longer = settings.model_copy(update={"end_month": months.month_of(moved.after.today)})
    if longer.last_month > settings.last_month:
        later = longer.typed or f"SALESPIPE_END_MONTH={longer.end_month} "
        console.print(f"The day lies after the configured months; {later}adds later ones.", soft_wrap=True)
    beyond = [month for month in moved.months if month not in settings.months]
    if beyond:
        hint = "SALESPIPE_START_MONTH and SALESPIPE_END_MONTH add it"
        console.print(f"{months.describe(beyond)} lies outside the configured months: {hint}", soft_wrap=True)
    for block in months.blocks([month for month in moved.months if month in settings.months]):
        console.print(f"Next: [bold]{settings.typed}salespipe run --months {block[0]}...{block[-1]}[/]", soft_wrap=True)
