"""What the online shop sells, and for how much: its prices are set anew every half-year. Money is integer cents."""

from functools import cache, lru_cache

import numpy as np

from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster.synthetic.online.vocabulary import UNLISTED, WARES
from salespipe_dagster.synthetic.quirks import tidied
from salespipe_dagster.synthetic.streams import Ints, below, words
from salespipe_spark import months


@cache
def names(shop: Shop) -> tuple[str, ...]:
    """The products."""
    return tuple(ware.product if shop.quirks else tidied(ware.product) for ware in WARES)


def listed(shop: Shop) -> list[int]:
    """The places of the products that the catalogue names."""
    return [place for place, ware in enumerate(WARES) if not (shop.quirks and ware.product == UNLISTED)]


@lru_cache(maxsize=128)
def prices(shop: Shop, half_year: int) -> Ints:
    """What each product costs in a half-year: within eight hundredths of what it cost at first."""
    base = np.array([ware.cents for ware in WARES])
    drawn = words(shop.seed, "online/prices", half_year * 1000 + np.arange(len(base)))
    return base * (920 + below(drawn, 0, 16, 161)) // 1000


def half_year(month: str) -> int:
    """The number of the half-year that the month lies in."""
    return months.index(month) // 6


@cache
def demand() -> Ints:
    """The running sum of the products' shares of the sales."""
    return np.cumsum([ware.weight for ware in WARES])
