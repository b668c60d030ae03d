"""How exporters write a CSV file: one plain, and the others as they come from real shops.

- another order of the columns, a header in capitals with blanks around the names, CRLF, a byte order mark
- every field in quotes, quotes within them doubled, lines that break within a field, a column nobody knows
- nine digits of a second, a blank for the T, local times with their distance from UTC in three spellings
- gzip
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from salespipe_dagster.synthetic.online import assortment
from salespipe_dagster.synthetic.online.sales import DAY, Sales
from salespipe_dagster.synthetic.online.shop import SALES_PER_MONTH, Shop
from salespipe_dagster.synthetic.online.shoppers import shoppers
from salespipe_dagster.synthetic.online.vocabulary import GIFT_MESSAGES, REGIONS
from salespipe_dagster.synthetic.streams import Ints, below, words
from salespipe_spark import months

COLUMNS = ("transaction_id", "date", "customer_id", "product", "quantity", "unit_price", "region", "total_amount")
UNKNOWN = "gift_message"
"""The column that no contract knows."""

_HUNDREDS = tuple(f"{number:02d}" for number in range(100))
_THOUSANDS = tuple(f"{number:03d}" for number in range(1000))


@dataclass(frozen=True)
class Style:
    """How an exporter writes.

    Attributes:
        columns: in its order.
        newline: at the end of a line.
        between: the letter between a date and a time.
        fraction: whether nine digits of the second are written.
        zoned: whether a time says how far it is from UTC.
        quoted: whether every field stands in quotes, or only one that must.
        mark: whether the file begins with a byte order mark.
        capitals: whether the header is in capitals, with blanks around the names.
        packed: whether the file is a gzip archive.
    """

    columns: tuple[str, ...] = COLUMNS
    newline: str = "\n"
    between: str = "T"
    fraction: bool = False
    zoned: bool = False
    quoted: bool = False
    mark: bool = False
    capitals: bool = False
    packed: bool = False

    def header(self) -> str:
        """The first line."""
        names = [f" {name.upper()} " if self.capitals else name for name in self.columns]
        return self.line(names)

    def line(self, values: Iterable[str]) -> str:
        """One line of fields as they are, without what `field` does to them."""
        quote = '"' if self.quoted else ""
        return quote + f"{quote},{quote}".join(values) + quote + self.newline

    def field(self, text: str) -> str:
        """A text as it stands between the commas, but for the quotes that all fields have."""
        doubled = text.replace('"', '""')
        return f'"{doubled}"' if not self.quoted and any(letter in text for letter in ',"\r\n') else doubled


PLAIN = Style()
STYLES = (
    PLAIN,
    Style(columns=COLUMNS[3:] + COLUMNS[:3], newline="\r\n", between=" ", mark=True, capitals=True),
    Style(columns=(*COLUMNS[:3], UNKNOWN, *COLUMNS[3:]), quoted=True, fraction=True),
    Style(columns=COLUMNS[::-1], zoned=True, packed=True),
    Style(columns=(*COLUMNS, UNKNOWN), newline="\r\n", zoned=True, fraction=True),
)


def fields(shop: Shop, month: str, style: Style, sales: Sales, prefix: str = "T") -> list[pa.Array]:
    """The texts of the style's columns, escaped as it does; `prefix` begins the ids."""
    numbers = int(month.replace("-", "")) * SALES_PER_MONTH + sales.place
    products = [style.field(name) for name in assortment.names(shop)]
    makers = {
        "transaction_id": lambda: _joined(pa.scalar(prefix), _ints(numbers)),
        "date": lambda: _instants(shop, month, style, sales),
        "customer_id": lambda: _joined(pa.scalar("C"), _ints(shoppers(shop).numbers[sales.customer])),
        "product": lambda: _taken(products, sales.product),
        "quantity": lambda: _ints(sales.quantity),
        "unit_price": lambda: _money(sales.price),
        "region": lambda: _taken([style.field(region.name) for region in REGIONS], sales.region),
        "total_amount": lambda: _money(sales.amount),
        UNKNOWN: lambda: _messages(shop, month, style, sales),
    }
    return [makers[name]() for name in style.columns]


def lines(style: Style, columns: Sequence[pa.Array]) -> pa.Array:
    """The fields as whole lines."""
    quote = '"' if style.quoted else ""
    between = pa.scalar(f"{quote},{quote}")
    parts: list[pa.Array | pa.Scalar] = [pa.scalar(quote)] if quote else []
    for column in columns[:-1]:
        parts += [column, between]
    return _joined(*parts, columns[-1], pa.scalar(quote + style.newline))


def _instants(shop: Shop, month: str, style: Style, sales: Sales) -> pa.Array:
    first = int(sales.day.min()) if len(sales.day) else 0
    last = int(sales.day.max()) if len(sales.day) else 0
    dates = [str(np.datetime64(day, "D")) + style.between for day in range(first, last + 1)]
    parts = [_taken(dates, sales.day - first), _times().take(pa.array(sales.second))]
    if style.fraction:
        number = months.index(month) * SALES_PER_MONTH + sales.place
        drawn = words(shop.seed, "online/fractions", number)
        parts += [pa.scalar("."), *(_taken(_THOUSANDS, below(drawn, bit, 20, 1000)) for bit in (0, 20, 40))]
    if style.zoned:
        parts.append(_taken([region.offset for region in REGIONS], sales.region))
    return _joined(*parts)


def _messages(shop: Shop, month: str, style: Style, sales: Sales) -> pa.Array:
    number = months.index(month) * SALES_PER_MONTH + sales.place
    drawn = words(shop.seed, "online/messages", number)
    return _taken([style.field(text) for text in GIFT_MESSAGES], below(drawn, 0, 32, len(GIFT_MESSAGES)))


def _money(cents: Ints) -> pa.Array:
    return _joined(_ints(cents // 100), pa.scalar("."), _taken(_HUNDREDS, cents % 100))


def _ints(values: Ints) -> pa.Array:
    return pa.array(values).cast(pa.string())


def _taken(texts: Sequence[str], places: Ints) -> pa.Array:
    return pa.array(texts, pa.string()).take(pa.array(places))


def _joined(*parts: pa.Array | pa.Scalar) -> pa.Array:
    return pc.call_function("binary_join_element_wise", [*parts, pa.scalar("")])


@cache
def _times() -> pa.Array:
    return pa.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(DAY)])
