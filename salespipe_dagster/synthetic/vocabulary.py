"""The words and places that the synthetic company is made of: literal data, no logic.

Odd places stand here on purpose: towns that share a postal code, or have none, or have quotes in their
name. Only a company with quirks has customers there; what else is nasty is in `quirks`.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """Where a customer can be; an odd place is for a company with quirks."""

    city: str
    state: str | None
    postal_code: str | None
    odd: bool = False


class Country(NamedTuple):
    """A country with customers: how many of a thousand, in which language, in which territory."""

    name: str
    weight: int
    locale: str
    territory: str
    places: tuple[Place, ...]


COUNTRIES = (
    Country(
        "USA",
        320,
        "en_US",
        "NA",
        (
            Place("NYC", "NY", "10022"),
            Place("San Francisco", "CA", "94217"),
            Place("Burlingame", "CA", "94010"),
            Place("Hillsborough", "CA", "94010", odd=True),  # two towns, one postal code
            Place("Boston", "MA", "02116"),  # a leading zero: no number
            Place("Irving", "TX", "75016", odd=True),  # the postal code of Paris
            Place("Coeur d'Alene", "ID", "83814", odd=True),
        ),
    ),
    Country(
        "France",
        120,
        "fr_FR",
        "EMEA",
        (
            Place("Paris", None, "75016"),
            Place("Lyon", None, "69004"),
            Place("L'Haÿ-les-Roses", None, "94240", odd=True),
        ),
    ),
    Country(
        "Germany",
        90,
        "de_DE",
        "EMEA",
        (Place("Köln", None, "50739"), Place("Frankfurt", None, "60528"), Place("München", None, "80686")),
    ),
    Country(
        "Australia",
        70,
        "en_AU",
        "APAC",
        (
            Place("Melbourne", "Victoria", "3004"),
            Place("North Sydney", "NSW", "2060"),
            Place("South Brisbane", "Queensland", "4101"),
        ),
    ),
    Country(
        "UK",
        70,
        "en_GB",
        "EMEA",
        (
            Place("London", None, "WX1 6LT"),
            Place("Cowes", "Isle of Wight", "PO31 7PJ"),
            Place("Liverpool", None, "WX1 6LT", odd=True),
        ),
    ),
    Country(
        "Spain",
        60,
        "es_ES",
        "EMEA",
        (Place("Madrid", None, "28034"), Place("A Coruña", "Galicia", "15001"), Place("Sevilla", None, "41101")),
    ),
    Country(
        "Canada",
        50,
        "en_CA",
        "NA",
        (Place("Montréal", "Québec", "H1J 1C3"), Place("Vancouver", "BC", "V3F 2K1")),
    ),
    Country("Norway", 40, "no_NO", "EMEA", (Place("Oslo", None, "0106"), Place("Tromsø", None, "9008"))),
    Country("New Zealand", 40, "en_NZ", "APAC", (Place("Auckland", None, "1024"), Place("Wellington", None, "6011"))),
    Country("Finland", 30, "fi_FI", "EMEA", (Place("Helsinki", None, "21240"), Place("Oulu", None, "90110"))),
    Country(
        "Sweden",
        30,
        "sv_SE",
        "EMEA",
        (
            Place("Malmö", None, "21120"),
            Place("Göteborg", None, "21240", odd=True),
            Place("Luleå", None, "97 753", odd=True),
        ),
    ),
    Country("Japan", 30, "ja_JP", "Japan", (Place("大阪", "大阪府", "530-0003"), Place("Tokyo", None, "106-0032"))),
    Country(
        "Ireland",
        20,
        "en_IE",
        "EMEA",
        (
            Place("Dublin", None, "D02 AF30"),
            Place("Galway", None, None, odd=True),
            Place("Cork", "Co. Cork", None, odd=True),
        ),
    ),
    Country("Austria", 15, "de_AT", "EMEA", (Place("Wien", None, "1010"),)),
    Country("Singapore", 15, "en_GB", "APAC", (Place("Singapore", None, "079903"),)),
)


class Office(NamedTuple):
    """A row of the offices."""

    office_code: str
    city: str
    phone: str
    address_line1: str
    address_line2: str | None
    state: str | None
    country: str
    postal_code: str
    territory: str


OFFICES = (
    Office("1", "San Francisco", "+1 650 555 4782", "100 Market Street", "Suite 300", "CA", "USA", "94080", "NA"),
    Office("2", "Boston", "+1 215 555 0825", "1550 Court Place", "Suite 102", "MA", "USA", "02107", "NA"),
    Office("3", "NYC", "+1 212 555 3000", "523 East 53rd Street", "apt. 5A", "NY", "USA", "10022", "NA"),
    Office("4", "Paris", "+33 14 723 4404", "43, rue Jouffroy d'Abbans", None, None, "France", "75017", "EMEA"),
    Office("5", "Tokyo", "+81 33 224 5000", "4-1 Kioicho", None, "Chiyoda-Ku", "Japan", "102-8578", "Japan"),
    Office("6", "Sydney", "+61 2 9264 2451", "5-11 Wentworth Avenue", "Floor #2", None, "Australia ", "2010", "APAC"),
    Office("7", "London", "+44 20 7877 2041", "25 Old Broad Street", "Level 7", None, "UK", " EC2N 1HN", "EMEA"),
)

# A post: title, office, and the place in this list of the one it reports to.
STAFF: tuple[tuple[str, str, int | None], ...] = (
    ("President", "1", None),
    ("VP Sales", "1", 0),
    ("VP Marketing", "1", 0),
    ("Sales Manager (APAC)", "6", 1),
    ("Sale Manager (EMEA)", "4", 1),
    ("Sales Manager (NA)", "1", 1),
    *(("Sales Rep", office, 5) for office in "112233"),
    *(("Sales Rep", office, 4) for office in "444477"),
    *(("Sales Rep", office, 3) for office in "666"),
    *(("Sales Rep", office, 1) for office in "55"),
)
SALES_REP = "Sales Rep"
OFFICE_LOCALES = {"1": "en_US", "2": "en_US", "3": "en_US", "4": "fr_FR", "5": "ja_JP", "6": "en_AU", "7": "en_GB"}


class ProductLine(NamedTuple):
    """A row of the product lines, and what its products are like.

    Attributes:
        season: how wanted they are in each month, January to December, in hundredths of the year's average.
    """

    product_line: str
    products: int
    weight: int
    lowest_msrp: int
    highest_msrp: int
    models: tuple[str, ...]
    season: tuple[int, ...]
    text_description: str | None
    html_description: str | None = None


PRODUCT_LINES = (
    ProductLine(
        "Classic Cars",
        38,
        5,
        4495,
        21999,
        ("Coupé", "Roadster", "Convertible", "Saloon", "Fastback"),
        (95, 90, 105, 115, 115, 105, 95, 90, 95, 100, 100, 95),
        "Attention, car enthusiasts: replicas with opening doors,\nworking steering and 100% original paint.",
        "<p class=\"line\">Opening doors &amp; 'working' steering</p>",
    ),
    ProductLine(
        "Motorcycles",
        13,
        7,
        3299,
        15000,
        ("Racer", "Tourer", "Scrambler"),
        (50, 70, 120, 170, 185, 165, 130, 95, 70, 55, 45, 45),
        "Replicas of legends, old & new.",
    ),
    ProductLine(
        "Planes",
        12,
        6,
        4999,
        16000,
        ("Biplane", "Seaplane", "Jet"),
        (75, 80, 85, 85, 90, 100, 115, 125, 100, 95, 120, 130),
        'Diecast planes, "wings" included.',
    ),
    ProductLine(
        "Ships",
        9,
        7,
        3399,
        12000,
        ("Schooner", "Steamer", "Clipper"),
        (50, 55, 70, 95, 130, 175, 190, 160, 105, 70, 55, 45),
        "A gift: C:\\harbour\\ships.",
    ),
    ProductLine(
        "Trains", 3, 14, 3289, 10100, ("Locomotive", "Tram"), (40, 40, 50, 50, 50, 50, 55, 60, 90, 155, 285, 275), None
    ),
    ProductLine(
        "Trucks and Buses",
        11,
        5,
        5499,
        13600,
        ("Pickup", "Double-decker", "Tanker"),
        (110, 115, 135, 115, 95, 80, 75, 80, 115, 125, 85, 70),
        "Ganz im Maßstab.",
    ),
    ProductLine(
        "Vintage Cars",
        24,
        4,
        3331,
        17000,
        ("Phaeton", "Limousine", "Tourer"),
        (85, 85, 80, 80, 80, 80, 85, 100, 140, 155, 125, 105),
        "From 1900 to 1940.",
        "",
    ),
)
SCALES = (10, 12, 18, 24, 32, 50, 72, 700)
