"""What the company sells: its products, a snapshot, made once per company. Money is integer cents."""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.quirks import PRODUCT_DESCRIPTIONS, PRODUCT_NAMES
from salespipe_dagster.synthetic.streams import Chance, Ints, faker, words
from salespipe_dagster.synthetic.vocabulary import PRODUCT_LINES, SCALES, ProductLine

_VENDORS = 13


class Product(NamedTuple):
    """A row of the products; `weight` is its share of its line's sales, 0 for one that was never sold."""

    product_code: str
    product_name: str
    product_line: str
    product_scale: str
    product_vendor: str
    product_description: str
    quantity_in_stock: int
    buy_price: int
    msrp: int
    weight: int


@cache
def products(firm: Firm) -> tuple[Product, ...]:
    """All products, line by line."""
    chance = Chance(firm.seed, "products")
    names = faker(firm.seed, "en_US", "products")
    vendors = [names.company() for _ in range(_VENDORS)]
    lines = [line for line in PRODUCT_LINES for _ in range(line.products)]
    return tuple(
        _product(firm, chance, position, line, names.last_name(), chance.one_of(vendors))
        for position, line in enumerate(lines)
    )


@lru_cache(maxsize=64)
def demand(firm: Firm, month: int) -> tuple[Ints, Ints]:
    """Places of products in an order that has nothing to do with their lines, and the running sum of their weights.

    Args:
        firm: which company.
        month: of the year, 1 to 12.
    """
    seasons = {line.product_line: line.weight * line.season[month - 1] for line in PRODUCT_LINES}
    weights = np.array([product.weight * seasons[product.product_line] for product in products(firm)])
    shuffled = np.argsort(words(firm.seed, "demand", np.arange(len(weights))), kind="stable")
    return shuffled, np.cumsum(weights[shuffled])


def _product(firm: Firm, chance: Chance, position: int, line: ProductLine, maker: str, vendor: str) -> Product:
    scale = chance.one_of(SCALES)
    name = f"{chance.between(1903, 2003)} {maker} {chance.one_of(line.models)}"
    msrp = chance.between(line.lowest_msrp, line.highest_msrp)
    odd_name = firm.quirks and position % 15 == 6
    never_sold = firm.quirks and position % 30 == 29
    return Product(
        product_code=f"S{scale}_{1000 + 31 * position + chance.below(31)}",
        product_name=PRODUCT_NAMES[position // 15 % len(PRODUCT_NAMES)] if odd_name else name,
        product_line=line.product_line,
        product_scale=f"1:{scale}",
        product_vendor=vendor,
        product_description=PRODUCT_DESCRIPTIONS[position % len(PRODUCT_DESCRIPTIONS)],
        quantity_in_stock=chance.between(0, 9999),
        buy_price=-(-msrp * chance.between(400, 599) // 1000),
        msrp=msrp,
        weight=0 if never_sold else chance.between(1, 9),
    )
