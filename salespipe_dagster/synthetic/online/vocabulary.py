"""The words that the online shop is made of: literal data, no logic.

Names of products hold quotes, commas and letters beyond ASCII on purpose; a shop without quirks tidies them.
"""

from typing import NamedTuple


class Region(NamedTuple):
    """A region: how many of a hundred customers live there, its clocks' distance from UTC, its countries."""

    name: str
    weight: int
    offset: str
    countries: tuple[str, ...]


class Ware(NamedTuple):
    """A product: its category, its price at first in cents, its share of the sales."""

    product: str
    category: str
    cents: int
    weight: int


REGIONS = (
    Region("North America", 38, "-05:00", ("USA", "Canada", "Mexico")),
    Region("Europe", 31, "+01:00", ("Germany", "France", "United Kingdom", "Spain", "Poland")),
    Region("Asia Pacific", 18, "+0900", ("Japan", "Australia", "Singapore")),
    Region("Latin America", 8, "-0300", ("Brazil", "Argentina", "Chile")),
    Region("Middle East & Africa", 5, "Z", ("South Africa", "Egypt", "Morocco")),
)
AGE_GROUPS = (("18-24", 12), ("25-34", 26), ("35-44", 24), ("45-54", 18), ("55-64", 12), ("65+", 8))
"""Of a hundred customers."""
TIERS = ("Bronze", "Silver", "Gold", "Platinum")

WARES = (
    Ware("Roadster 1958, 1:12", "Classic Cars", 48900, 14),
    Ware("Coupé 1936, 1:8", "Classic Cars", 129000, 5),
    Ware('Pickup "Old Red", 1:18', "Classic Cars", 18900, 22),
    Ware("Racing Car 1967, 1:18", "Classic Cars", 24900, 18),
    Ware("London Taxi 1962", "Classic Cars", 15900, 17),
    Ware("Café Racer, 1:9", "Motorcycles", 21900, 13),
    Ware("Sidecar Set, olive", "Motorcycles", 27500, 8),
    Ware("Scooter 1955", "Motorcycles", 12900, 20),
    Ware("Schooner, 1:72", "Ships", 64900, 7),
    Ware("Clipper, 90 cm", "Ships", 189000, 2),
    Ware("Tugboat", "Ships", 23900, 9),
    Ware("The Big Ocean Liner", "Ships", 98000, 4),
    Ware("Biplane, 1:24", "Planes", 34900, 11),
    Ware('Glider 40" span', "Planes", 27900, 7),
    Ware("Airliner, 1:100", "Planes", 19900, 14),
    Ware("Zeppelin, aluminium", "Planes", 74900, 3),
    Ware("Steam Locomotive, H0", "Trains", 57900, 9),
    Ware("Passenger Car, H0", "Trains", 14900, 21),
    Ware("Bahnhof für Anfänger", "Trains", 32900, 8),
    Ware("Turntable, motorised", "Trains", 41900, 5),
    Ware("Display Case S", "Display", 8900, 24),
    Ware("Display Case L, mirrored", "Display", 24900, 13),
    Ware("LED Strip", "Display", 4900, 19),
    Ware("Wall Shelf, oak", "Display", 15900, 9),
    Ware("Airbrush Station", "Workshop", 38900, 8),
    Ware("Paint Set, 72 colours", "Workshop", 11900, 18),
    Ware("Magnifying Lamp", "Workshop", 9900, 12),
    Ware("Precision Tools, 30 pieces", "Workshop", 7900, 17),
    Ware("Gift Card", "Gifts", 25000, 16),
)
UNLISTED = "Gift Card"
"""What a shop with quirks sells and its catalogue does not name."""

FIRST_NAMES = (
    "Aiko",
    "Amélie",
    "Björn",
    "Chidi",
    "Dolores",
    "Ewa",
    "Fatima",
    "George",
    "Hana",
    "Inés",
    "João",
    "Karin",
    "Łukasz",
    "Mei",
    "Noah",
    "Olga",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Thandi",
    "Umar",
    "Véronique",
    "Zoë",
)
LAST_NAMES = (
    "Adeyemi",
    "Brown",
    "Çelik",
    "Dubois",
    "Eriksson",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lopes",
    "Müller",
    "Nguyễn",
    "O'Neill",
    "Petrov",
    "Quispe",
    "Rossi",
    "Silva",
    "Tanaka",
    "Underwood",
    "Van der Berg",
    "Wang",
    "Young",
)
GIFT_MESSAGES = (
    "",
    "",
    "Happy birthday!",
    'From all of us at "The Attic"',
    "For Opa,\nwith love,\nthe children",
    "Enjoy; see you at 7, don't be late",
    "Alles Gute, Größe XL 🎁",
)
