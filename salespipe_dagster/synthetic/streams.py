"""Streams of chance: each is derived from the seed and its own name, none is global or shared.

So what is drawn for one table and month never depends on what else was drawn, in which order, or in
which process. Names go in as text: `hash` differs from process to process.
"""

from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faker import Faker

_PROVIDERS = [f"faker.providers.{name}" for name in ("address", "company", "person", "phone_number")]


def stream(seed: int, *names: str) -> Random:
    """The stream of random numbers of this name."""
    return Random("/".join((str(seed), *names)))


def faker(seed: int, locale: str, *names: str) -> "Faker":
    """The stream of this name of people, companies and addresses."""
    from faker import Faker  # half a second, which whoever reads an external source should not pay

    made = Faker(locale, providers=_PROVIDERS)  # all providers would take ten times as long
    made.seed_instance("/".join((str(seed), *names)))
    return made
