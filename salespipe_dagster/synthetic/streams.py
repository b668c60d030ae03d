"""Streams of chance: each is derived from the seed and its own name, none is global or shared.

Every number is a function of a stream's name and a place in it (SplitMix64, integers alone): whatever
is drawn for one order or line never depends on what else was drawn, in which order, in which process,
or with which version of Python or numpy. Names go in as text: `hash` differs from process to process.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from faker import Faker

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_PROVIDERS = [f"faker.providers.{name}" for name in ("address", "company", "person", "phone_number")]
_GOLDEN, _FIRST, _SECOND = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_BLOCK = 256

T = TypeVar("T")


def words(seed: int, name: str, places: Ints) -> Words:
    """The 64 random bits of each of these places of the stream of this name."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    word = places.astype(np.uint64) * _GOLDEN + np.uint64(int.from_bytes(digest[:8], "big"))
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        word ^= word >> np.uint64(shift)
        word *= factor
    return word ^ (word >> np.uint64(31))


def below(words: Words, first_bit: int, bits: int, end: int | Ints) -> Ints:
    """A number from 0 to before `end` of each word, drawn from some of its bits: use no bit twice."""
    drawn = (words >> np.uint64(first_bit)) & np.uint64((1 << bits) - 1)
    ends = np.uint64(end) if isinstance(end, int) else end.astype(np.uint64)
    return ((drawn * ends) >> np.uint64(bits)).astype(np.int64)


def picked(words: Words, first_bit: int, bits: int, bounds: Ints) -> Ints:
    """A place among weights, given as their running sums, for each word."""
    return np.searchsorted(bounds, below(words, first_bit, bits, int(bounds[-1])), side="right")


class Chance:
    """One stream drawn from its beginning, for what is made one by one."""

    def __init__(self, seed: int, name: str) -> None:
        self._seed, self._name = seed, name
        self._ahead: list[int] = []
        self._drawn = 0

    def below(self, end: int) -> int:
        """A number from 0 to before `end`."""
        if not self._ahead:
            places = np.arange(self._drawn, self._drawn + _BLOCK)
            self._ahead = words(self._seed, self._name, places)[::-1].tolist()
            self._drawn += _BLOCK
        return self._ahead.pop() * end >> 64

    def between(self, least: int, most: int) -> int:
        """A number from `least` to `most`, both inclusive."""
        return least + self.below(most - least + 1)

    def one_of(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.below(len(values))]


def faker(seed: int, locale: str, name: str) -> "Faker":
    """The stream of this name of people, companies and addresses."""
    from faker import Faker  # half a second, which whoever reads an external source should not pay

    made = Faker(locale, providers=_PROVIDERS)  # all providers would take ten times as long
    made.seed_instance(f"{seed}/{name}")
    return made
