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
    Ware("Paint Set, 12 colours", "Tools", 2495, 40),
    Ware("Airbrush Kit", "Tools", 12900, 9),
    Ware("Precision Knife", "Tools", 1150, 32),
    Ware('Tweezers 5" curved', "Tools", 890, 28),
    Ware("Magnifying Lamp", "Tools", 5990, 8),
    Ware("Display Case S", "Display", 1990, 34),
    Ware("Display Case L", "Display", 4490, 17),
    Ware("Turntable, mirrored", "Display", 3250, 12),
    Ware("LED Strip", "Display", 1790, 21),
    Ware("Wall Shelf", "Display", 7900, 7),
    Ware("Starter Kit: Roadster 1:24", "Kits", 3490, 38),
    Ware("Starter Kit: Biplane 1:48", "Kits", 3290, 33),
    Ware("Schooner Kit", "Kits", 8950, 11),
    Ware("Locomotive Kit", "Kits", 10900, 10),
    Ware("Moon Lander Kit", "Kits", 6450, 15),
    Ware('Junior Kit "My First Car"', "Kits", 1590, 36),
    Ware("Glue", "Supplies", 450, 46),
    Ware("Primer Spray", "Supplies", 1090, 30),
    Ware("Sandpaper Pack", "Supplies", 620, 27),
    Ware("Decal Sheet", "Supplies", 780, 24),
    Ware("Scenery Grass", "Supplies", 940, 16),
    Ware("Brush No. 0", "Supplies", 395, 29),
    Ware("Modellbau für Anfänger", "Books", 2290, 14),
    Ware("The Big Book of Ships", "Books", 3990, 9),
    Ware("Weathering, Step by Step", "Books", 2750, 13),
    Ware("Annual Subscription", "Books", 5940, 6),
    Ware("Poster", "Gifts", 1290, 19),
    Ware("Mug", "Gifts", 1190, 22),
    Ware("Gift Card", "Gifts", 5000, 18),
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
