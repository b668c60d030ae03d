"""The company's customers and employees: snapshots, made once per seed.

The nasty parts of real data (padded places, no rep, no orders, no credit limit, odd names) are dealt
out by position, so that every seed has each of them.
"""

import unicodedata
from functools import cache
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from salespipe_dagster.synthetic.streams import faker, stream
from salespipe_dagster.synthetic.vocabulary import (
    COUNTRIES,
    CUSTOMER_NAMES,
    OFFICE_LOCALES,
    OFFICES,
    SALES_REP,
    STAFF,
    Country,
)

if TYPE_CHECKING:
    from faker import Faker

CUSTOMERS = 150
_WIDTH = 50
"""The widest name or address that the classicmodels schema holds."""


class Customer(NamedTuple):
    """A row of the customers; `weight` is its share of the orders, 0 for one that never ordered."""

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
    weight: int


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


@cache
def employees(seed: int) -> tuple[Employee, ...]:
    """The president first, everybody else after the manager."""
    rng = stream(seed, "employees")
    names = {code: faker(seed, locale, "employees", code) for code, locale in OFFICE_LOCALES.items()}
    numbers = [1002 + 7 * position + rng.randrange(7) for position in range(len(STAFF))]
    found: list[Employee] = []
    for number, (title, office, manager) in zip(numbers, STAFF, strict=True):
        last, first = names[office].last_name(), names[office].first_name()
        found.append(
            Employee(
                employee_number=number,
                last_name=last,
                first_name=first,
                extension=f"x{rng.randint(100, 9999)}",
                email=f"{_ascii(last) or 'staff'}.{number}@models.example",
                office_code=office,
                reports_to=None if manager is None else numbers[manager],
                job_title=title,
            )
        )
    return tuple(found)


@cache
def customers(seed: int) -> tuple[Customer, ...]:
    """All customers, each country with one at least; few are large, most are small."""
    rng = stream(seed, "customers")
    names = {country: faker(seed, country.locale, "customers", country.name) for country in COUNTRIES}
    reps = _reps(seed)
    rest = rng.choices(COUNTRIES, [country.weight for country in COUNTRIES], k=CUSTOMERS - len(COUNTRIES))
    ranks = rng.sample(range(CUSTOMERS), CUSTOMERS)  # who is large is not who came first
    return tuple(
        _with_quirks(position, _customer(rng, position, rank, country, names[country], reps[country.territory]))
        for position, (rank, country) in enumerate(zip(ranks, [*COUNTRIES, *rest], strict=True))
    )


def _customer(rng: Random, position: int, rank: int, country: Country, names: "Faker", reps: list[int]) -> Customer:
    place = rng.choice(country.places)
    return Customer(
        customer_number=103 + 3 * position + rng.randrange(3),
        customer_name=names.company()[:_WIDTH],
        contact_last_name=names.last_name(),
        contact_first_name=names.first_name(),
        phone=names.phone_number(),
        address_line1=names.street_address()[:_WIDTH],
        address_line2=f"Suite #{rng.randint(1, 400)}" if rng.randrange(5) == 0 else None,
        city=place.city,
        state=place.state,
        postal_code=place.postal_code,
        country=country.name,
        sales_rep_employee_number=rng.choice(reps),
        credit_limit=rng.randint(100, 2500) * 100_00,
        weight=10_000 // (rank + 5),
    )


def _with_quirks(position: int, customer: Customer) -> Customer:
    """The customer with what its position deals to it; most get nothing."""
    if position % 8 == 7:
        customer = customer._replace(weight=0)
    if position % 10 == 9:
        customer = customer._replace(sales_rep_employee_number=None)
    if position % 12 == 5:
        customer = customer._replace(credit_limit=None)
    if position % 15 == 3:
        customer = customer._replace(customer_name=CUSTOMER_NAMES[position // 15 % len(CUSTOMER_NAMES)])
    if position % 9 == 4:
        customer = _padded(customer, position // 9)
    return customer


def _padded(customer: Customer, turn: int) -> Customer:
    """The customer with blanks around one part of its place, as a form lets them through."""
    parts = {"country": customer.country, "city": customer.city}
    optional = {"postal_code": customer.postal_code, "state": customer.state}
    parts |= {part: text for part, text in optional.items() if text is not None}
    part, text = list(parts.items())[turn % len(parts)]
    return customer._replace(**{part: (f"{text}  ", f" {text}", f"  {text} ")[turn % 3]})


def _reps(seed: int) -> dict[str, list[int]]:
    """The numbers of the sales reps of each territory."""
    territories = {office.office_code: office.territory for office in OFFICES}
    found: dict[str, list[int]] = {territory: [] for territory in territories.values()}
    for employee in employees(seed):
        if employee.job_title == SALES_REP:
            found[territories[employee.office_code]].append(employee.employee_number)
    return found


def _ascii(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(letter for letter in letters.lower() if letter.isalpha())
