"""What the company sells: its products, a snapshot, made once per seed. Money is integer cents."""

from functools import cache
from random import Random
from typing import NamedTuple

from salespipe_dagster.synthetic.streams import faker, stream
from salespipe_dagster.synthetic.vocabulary import (
    PRODUCT_DESCRIPTIONS,
    PRODUCT_LINES,
    PRODUCT_NAMES,
    SCALES,
    ProductLine,
)

_VENDORS = 13


class Product(NamedTuple):
    """A row of the products; `weight` is its share of the order lines, 0 for one that was never sold."""

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
def products(seed: int) -> tuple[Product, ...]:
    """All products, line by line."""
    rng = stream(seed, "products")
    names = faker(seed, "en_US", "products")
    vendors = [names.company() for _ in range(_VENDORS)]
    lines = [line for line in PRODUCT_LINES for _ in range(line.products)]
    return tuple(
        _product(rng, position, line, names.last_name(), rng.choice(vendors)) for position, line in enumerate(lines)
    )


def share(cents: int, rng: Random, least: int, most: int) -> int:
    """A random share of an amount, given in thousandths, rounded up: never less than the least share."""
    return -(-cents * rng.randint(least, most) // 1000)


def _product(rng: Random, position: int, line: ProductLine, maker: str, vendor: str) -> Product:
    scale = rng.choice(SCALES)
    name = f"{rng.randint(1903, 2003)} {maker} {rng.choice(line.models)}"
    msrp = rng.randint(line.lowest_msrp, line.highest_msrp)
    odd_name = position % 15 == 6
    never_sold = position % 30 == 29
    return Product(
        product_code=f"S{scale}_{1000 + 31 * position + rng.randrange(31)}",
        product_name=PRODUCT_NAMES[position // 15 % len(PRODUCT_NAMES)] if odd_name else name,
        product_line=line.product_line,
        product_scale=f"1:{scale}",
        product_vendor=vendor,
        product_description=PRODUCT_DESCRIPTIONS[position % len(PRODUCT_DESCRIPTIONS)],
        quantity_in_stock=rng.randint(0, 9999),
        buy_price=share(msrp, rng, 400, 599),
        msrp=msrp,
        weight=0 if never_sold else line.weight * rng.randint(1, 9),
    )
