"""Which company is configured: where settings and company meet."""

from datetime import date, timedelta

from salespipe_dagster.settings import Settings
from salespipe_dagster.synthetic.company import Company
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_spark import months


def company_of(settings: Settings) -> Company:
    """The company that is configured, on the last day of the configured months: where it starts from."""
    return Company(
        seed=settings.company_seed,
        orders_per_month=settings.company_orders_per_month,
        quirks=settings.company_quirks,
        first_month=settings.first_month,
        today=_last_day(settings),
    )


def shop_of(settings: Settings) -> Shop:
    """The configured company's online shop."""
    return Shop(
        seed=settings.company_seed,
        sales_per_month=settings.company_online_sales_per_month,
        files_per_month=settings.company_online_files_per_month,
        quirks=settings.company_quirks,
        first_month=settings.first_month,
    )


def dropped_by(settings: Settings, company: Company) -> date:
    """The day by which files are dropped: what is later than the configured months is nobody's."""
    return min(company.today, _last_day(settings))


def _last_day(settings: Settings) -> date:
    return months.end_day(settings.last_month) - timedelta(days=1)
