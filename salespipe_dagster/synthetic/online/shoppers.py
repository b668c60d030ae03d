"""The online shop's customers and what their profiles say, on any day.

Their number grows with the three-quarter power of the sales. A profile's whole life is drawn at once:
the day of signing up, and for some the day on which they rise to a higher tier.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from math import isqrt

import numpy as np

from salespipe_dagster.synthetic.business import day_number
from salespipe_dagster.synthetic.online.shop import Shop
from salespipe_dagster.synthetic.online.vocabulary import AGE_GROUPS, REGIONS, TIERS
from salespipe_dagster.synthetic.streams import Flags, Ints, below, picked, words
from salespipe_spark import months

NO_AGE = len(AGE_GROUPS)
"""The age group of a profile that says none."""
_FIRST = 100_000
"""The first customer's number."""
_FOUNDERS = 8
"""How many signed up before the first month in which there is any business."""
_BEGIN, _RECENT, _END = (day_number(date(year, 1, 1)) for year in (2000, 2024, 2027))
_NEVER = 2**30
_RISE_LATEST = 900
"""Days from signing up to the higher tier, at most."""


@dataclass(frozen=True)
class Shoppers:
    """All customers: one place in each column for each; days count from 1970-01-01.

    Attributes:
        numbers: what their ids are made of.
        weights: shares of the sales, by a power law.
        region: the place among the regions.
        country: which of the region's countries, a number of which the rest counts.
        age: the place among the age groups, or `NO_AGE`.
        tier: the place among the tiers at first.
        signs_up: the day.
        rises: the day on which the tier becomes the next one; or never.
        has_profile: whether the shop ever drops a profile.
    """

    numbers: Ints
    weights: Ints
    region: Ints
    country: Ints
    age: Ints
    tier: Ints
    signs_up: Ints
    rises: Ints
    has_profile: Flags

    def tiers(self, day: int) -> Ints:
        """The place among the tiers of each at the end of a day."""
        return self.tier + (self.rises <= day)

    def known(self, day: int) -> Flags:
        """Who has a profile at the end of a day."""
        return self.has_profile & (self.signs_up <= day)

    def changed(self, first: int, last: int) -> Flags:
        """Who signed up, or rose to a higher tier, on one of these days."""
        return np.logical_or.reduce([(day >= first) & (day <= last) for day in (self.signs_up, self.rises)])


@cache
def shoppers(shop: Shop) -> Shoppers:
    """The shop's customers; who buys much is not who came first."""
    places = np.arange(max(60, 10 * isqrt(isqrt(shop.sales_per_month**3)) // 3))
    who, life = (words(shop.seed, f"online/shoppers/{name}", places) for name in ("who", "life"))
    ranks = np.argsort(np.argsort(words(shop.seed, "online/ranks", places), kind="stable"), kind="stable")
    regions = np.cumsum([region.weight for region in REGIONS])
    ages = np.cumsum([weight for _, weight in AGE_GROUPS])
    # Of a hundred customers four are at the top from the first, twelve are next, and thirty after them.
    tier = len(TIERS) - 1 - np.searchsorted((4, 16, 46), ranks * 100 // len(ranks), side="right")
    recent = below(life, 0, 8, 3) == 0
    began, ended = np.where(recent, _RECENT, _BEGIN), np.where(recent, _END, _RECENT)
    signs_up = np.where(places < _FOUNDERS, _BEGIN - 1 - places, began + below(life, 8, 20, ended - began))
    rising = (tier < len(TIERS) - 1) & (below(life, 28, 8, 4) == 0)
    return Shoppers(
        numbers=_FIRST + places,
        weights=100_000_000 // (ranks + 12),
        region=picked(who, 0, 16, regions),
        country=below(who, 16, 8, 1 << 8),
        age=np.where(shop.quirks & (places % 20 == 13), NO_AGE, picked(who, 24, 16, ages)),
        tier=tier,
        signs_up=signs_up,
        rises=np.where(rising, signs_up + 30 + below(life, 36, 20, _RISE_LATEST - 30), _NEVER),
        has_profile=~(np.full(len(places), shop.quirks) & (places % 12 == 7)),
    )


@lru_cache(maxsize=64)
def bounds(shop: Shop, month: str) -> Ints:
    """The running sum of the weights of those who buy in the month: who has signed up before it."""
    buying = shoppers(shop)
    there = buying.signs_up < day_number(months.first_day(month))
    return np.cumsum(np.where(there, buying.weights, 0))
