"""The company's customers and employees: snapshots, made once per company.

A larger company has more customers, and larger ones: their number grows with the three-quarter power of
the orders, from 50 to some 80,000 at 10^8 order lines. Who buys how much, and when, is in `Buyers`;
names and places, which take Faker's time, are made only where the rows themselves are asked for.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from math import isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from salespipe_dagster.synthetic.business import Firm
from salespipe_dagster.synthetic.quirks import CUSTOMER_NAMES, padded
from salespipe_dagster.synthetic.streams import Chance, Flags, Ints, below, faker, words
from salespipe_dagster.synthetic.vocabulary import COUNTRIES, OFFICE_LOCALES, OFFICES, SALES_REP, STAFF, Country
from salespipe_spark import months

if TYPE_CHECKING:
    from faker import Faker

_WIDTH = 50
"""The widest name or address that the classicmodels schema holds."""
_POOL = 100
"""How many names of each kind Faker makes for a country, at most: the further customers combine them."""
_KINDS = ("K.K.", "Trading")
_CYCLE = 96
"""Months from one beginning of a customer's business to the next: a customer who left may come back."""
_LARGE = 10
"""How many of the largest customers stay for ever, and pay."""
_TYPICAL_ORDER = 20_000
"""What an order comes to, in whole units of money: credit limits go by it."""
_LIMIT_MONTHS = 4
_HIGHEST_LIMIT = 99_999_900


class Customer(NamedTuple):
    """A row of the customers."""

    customer_number: int
    customer_name: str
    contact_last_name: str
    contact_first_name: str
    phone: str
    address_line1: str
    address_line2: str | None
    city: str
    state: str | None
    postal_code: str | None
    country: str
    sales_rep_employee_number: int | None
    credit_limit: int | None


class Employee(NamedTuple):
    """A row of the employees."""

    employee_number: int
    last_name: str
    first_name: str
    extension: str
    email: str
    office_code: str
    reports_to: int | None
    job_title: str


@dataclass(frozen=True)
class Buyers:
    """All customers as those who order: one place in each column for each.

    Attributes:
        numbers: customer numbers.
        weights: shares of the orders while they buy, by a power law; 0 for one that never ordered.
        begins: the month in which a customer's business begins, of every `_CYCLE` months.
        lasts: for how many months it lasts.
        large: whether it is one of the few that place large orders.
        pays_badly: whether it often does not pay.
    """

    numbers: Ints
    weights: Ints
    begins: Ints
    lasts: Ints
    large: Flags
    pays_badly: Flags

    def bounds(self, month: str) -> Ints:
        """The running sum of the weights of those who buy in the month."""
        buys = (months.index(month) - self.begins) % _CYCLE < self.lasts
        return np.cumsum(np.where(buys, self.weights, 0))


@cache
def buyers(firm: Firm) -> Buyers:
    """The company's customers; who is large is not who came first."""
    places = np.arange(max(50, 10 * isqrt(isqrt(firm.orders_per_month**3)) // 3))
    drawn = words(firm.seed, "buyers", places)
    ranks = np.argsort(np.argsort(words(firm.seed, "ranks", places), kind="stable"), kind="stable")
    never = np.full(len(places), firm.quirks) & (places % 8 == 7) & (ranks >= _LARGE)
    return Buyers(
        numbers=103 + 3 * places + below(drawn, 0, 16, 3),
        weights=np.where(never, 0, 100_000_000 // (ranks + 12)),
        begins=below(drawn, 16, 16, _CYCLE),
        lasts=np.where(ranks < _LARGE, _CYCLE, 30 + below(drawn, 32, 16, _CYCLE - 29)),
        large=ranks < max(3, len(places) // 25),
        pays_badly=(places % 23 == 11) & (ranks >= _LARGE),
    )


@lru_cache(maxsize=64)
def bounds(firm: Firm, month: str) -> Ints:
    """The running sum of the weights of those who buy in the month."""
    return buyers(firm).bounds(month)


@cache
def employees(firm: Firm) -> tuple[Employee, ...]:
    """The president first, everybody else after the manager."""
    chance = Chance(firm.seed, "employees")
    names = {code: faker(firm.seed, locale, f"employees/{code}") for code, locale in OFFICE_LOCALES.items()}
    numbers = [1002 + 7 * position + chance.below(7) for position in range(len(STAFF))]
    found: list[Employee] = []
    for number, (title, office, manager) in zip(numbers, STAFF, strict=True):
        last, first = (part() for part in _person(names[office]))
        found.append(
            Employee(
                employee_number=number,
                last_name=last,
                first_name=first,
                extension=f"x{chance.between(100, 9999)}",
                email=f"{_ascii(last) or 'staff'}.{number}@models.example",
                office_code=office,
                reports_to=None if manager is None else numbers[manager],
                job_title=title,
            )
        )
    return tuple(found)


def _person(made: "Faker") -> tuple[Callable[[], str], Callable[[], str]]:
    """What makes last and first names as charts show them: in Latin letters, as few machines can draw Japanese ones."""
    last = getattr(made, "last_romanized_name", made.last_name)
    return last, getattr(made, "first_romanized_name", made.first_name)


class _Names:
    """Names, streets and numbers of one country, in the order in which its customers take them."""

    def __init__(self, firm: Firm, country: Country, customers: int) -> None:
        made = faker(firm.seed, country.locale, f"customers/{country.name}")
        turns = range(min(customers, _POOL))
        last, _ = _person(made)
        company = made.company if last == made.last_name else lambda: f"{last()} {made.random_element(_KINDS)}"
        makers = (company, made.last_name, made.first_name, made.phone_number, made.street_address)
        self._pools = [[make() for _ in turns] for make in makers]
        self._taken = 0

    def take(self) -> list[str]:
        """Company, last and first name, phone and street of the next customer."""
        again, turn = divmod(self._taken, _POOL)
        self._taken += 1
        pools = self._pools
        # From the second time round on each kind is shifted by another step, and a person's name joins the company's.
        found = [pool[(turn + step * again) % len(pool)] for step, pool in enumerate(pools)]
        if again:
            found[0] = f"{found[1]} & {found[0]}"
        return [text[:_WIDTH].strip() for text in found]


@cache
def customers(firm: Firm) -> tuple[Customer, ...]:
    """All customers, each country with one at least; few are large, most are small."""
    chance, buying, reps = Chance(firm.seed, "customers"), buyers(firm), _reps(firm)
    bounds = list(accumulate(country.weight for country in COUNTRIES))
    rest = len(buying.numbers) - len(COUNTRIES)
    drawn = np.searchsorted(bounds, [chance.below(bounds[-1]) for _ in range(rest)], side="right")
    countries = [*COUNTRIES, *(COUNTRIES[place] for place in drawn.tolist())]
    names = {country: _Names(firm, country, countries.count(country)) for country in COUNTRIES}
    month = firm.orders_per_month * _TYPICAL_ORDER * _LIMIT_MONTHS
    exposure = buying.weights * month // int(buying.weights.sum())
    return tuple(
        _customer(firm, chance, position, country, names[country].take(), reps[country.territory], number, owes)
        for position, (country, number, owes) in enumerate(
            zip(countries, buying.numbers.tolist(), exposure.tolist(), strict=True)
        )
    )


def _customer(
    firm: Firm,
    chance: Chance,
    position: int,
    country: Country,
    names: list[str],
    reps: list[int],
    number: int,
    owes: int,
) -> Customer:
    place = chance.one_of([place for place in country.places if firm.quirks or not place.odd])
    limit = max(owes * chance.between(500, 2000) // 1000, 200 * chance.between(100, 500))
    customer = Customer(
        customer_number=number,
        customer_name=names[0],
        contact_last_name=names[1],
        contact_first_name=names[2],
        phone=names[3],
        address_line1=names[4],
        address_line2=f"Suite #{chance.between(1, 400)}" if chance.below(5) == 0 else None,
        city=place.city,
        state=place.state,
        postal_code=place.postal_code,
        country=country.name,
        sales_rep_employee_number=chance.one_of(reps),
        credit_limit=min(limit, _HIGHEST_LIMIT) // 100 * 100_00,
    )
    return _with_quirks(position, customer) if firm.quirks else customer


def _with_quirks(position: int, customer: Customer) -> Customer:
    """The customer with what its position deals to it; most get nothing."""
    if position % 10 == 9:
        customer = customer._replace(sales_rep_employee_number=None)
    if position % 12 == 5:
        customer = customer._replace(credit_limit=None)
    if position % 14 == 6:
        customer = customer._replace(postal_code=None)
    if position % 15 == 3:
        customer = customer._replace(customer_name=CUSTOMER_NAMES[position // 15 % len(CUSTOMER_NAMES)])
    if position % 9 == 4:
        parts = {"country": customer.country, "city": customer.city}
        optional = {"postal_code": customer.postal_code, "state": customer.state}
        parts |= {part: text for part, text in optional.items() if text is not None}
        customer = customer._replace(**padded(parts, position // 9))
    return customer


def _reps(firm: Firm) -> dict[str, list[int]]:
    """The numbers of the sales reps of each territory."""
    territories = {office.office_code: office.territory for office in OFFICES}
    found: dict[str, list[int]] = {territory: [] for territory in territories.values()}
    for employee in employees(firm):
        if employee.job_title == SALES_REP:
            found[territories[employee.office_code]].append(employee.employee_number)
    return found


def _ascii(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha())
