"""Which company is configured: where settings and company meet."""

from datetime import timedelta

from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.company import Company
from salespipe_spark import months


def company_of(settings: Settings) -> Company:
    """The company that is configured, on the last day of the configured months: where it starts from."""
    return Company(
        seed=settings.company_seed,
        orders_per_month=settings.company_orders_per_month,
        quirks=settings.company_quirks,
        first_month=settings.first_month,
        today=months.end_day(settings.last_month) - timedelta(days=1),
    )
