"""The words and places that the synthetic company is made of: literal data, no logic.

Nasty text stands here on purpose: quotes, backslashes, percent signs, tabs, newlines, letters beyond
ASCII. So do places that share a postal code although they are different towns.
"""

from typing import NamedTuple


class Place(NamedTuple):
    """Where a customer can be."""

    city: str
    state: str | None
    postal_code: str | None


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
            Place("Hillsborough", "CA", "94010"),  # two towns, one postal code
            Place("Boston", "MA", "02116"),  # a leading zero: no number
            Place("Irving", "TX", "75016"),  # the postal code of Paris
            Place("Coeur d'Alene", "ID", "83814"),
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
            Place("L'Haÿ-les-Roses", None, "94240"),
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
            Place("Liverpool", None, "WX1 6LT"),
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
    Country("New Zealand", 40, "en_NZ", "APAC", (Place("Auckland", None, "1010"), Place("Wellington", None, "6011"))),
    Country("Finland", 30, "fi_FI", "EMEA", (Place("Helsinki", None, "21240"), Place("Oulu", None, "90110"))),
    Country("Sweden", 30, "sv_SE", "EMEA", (Place("Malmö", None, "21240"), Place("Luleå", None, "97 753"))),
    Country("Japan", 30, "ja_JP", "Japan", (Place("大阪", "大阪府", "530-0003"), Place("Tokyo", None, "106-0032"))),
    Country("Ireland", 20, "en_IE", "EMEA", (Place("Dublin", None, None), Place("Cork", "Co. Cork", None))),
    Country("Austria", 15, "de_AT", "EMEA", (Place("Wien", None, "1010"),)),
    Country("Singapore", 15, "en_GB", "APAC", (Place("Singapore", None, "079903"),)),
)

CUSTOMER_NAMES = (
    'O\'Brien & Söhne "Spielwaren" GmbH',
    "Back\\slash Collectables, Inc.",
    "100% Models; DROP TABLE Co.",
    "Tab\tand Tab Ltd",
    "Two\nLines S.A.",
    "ToyŻółw_Łódź %s",
    "Ångström {0} AB",
    "Δημητρίου Παιχνίδια",
    "'Quoted' Miniatures",
    "Kärtchen, Größe & Maß KG",
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
    """A row of the product lines, and what its products are like: how many, how wanted, at which price."""

    product_line: str
    products: int
    weight: int
    lowest_msrp: int
    highest_msrp: int
    models: tuple[str, ...]
    text_description: str | None
    html_description: str | None = None


PRODUCT_LINES = (
    ProductLine(
        "Classic Cars",
        38,
        9,
        4495,
        21999,
        ("Coupé", "Roadster", "Convertible", "Saloon", "Fastback"),
        "Attention, car enthusiasts: replicas with opening doors,\nworking steering and 100% original paint.",
        "<p class=\"line\">Opening doors &amp; 'working' steering</p>",
    ),
    ProductLine("Motorcycles", 13, 7, 3299, 15000, ("Racer", "Tourer", "Scrambler"), "Replicas of legends, old & new."),
    ProductLine("Planes", 12, 5, 4999, 16000, ("Biplane", "Seaplane", "Jet"), 'Diecast planes, "wings" included.'),
    ProductLine("Ships", 9, 3, 3399, 12000, ("Schooner", "Steamer", "Clipper"), "A gift: C:\\harbour\\ships."),
    ProductLine("Trains", 3, 1, 3289, 10100, ("Locomotive", "Tram"), None),
    ProductLine("Trucks and Buses", 11, 4, 5499, 13600, ("Pickup", "Double-decker", "Tanker"), "Ganz im Maßstab."),
    ProductLine("Vintage Cars", 24, 6, 3331, 17000, ("Phaeton", "Limousine", "Tourer"), "From 1900 to 1940.", ""),
)
SCALES = (10, 12, 18, 24, 32, 50, 72, 700)

PRODUCT_NAMES = (
    '12" Tin Toy Locomotive',
    'P-51-D "Mustang" \\ olive',
    "18th Century 'Vintage' Carriage",
    "1957 Ford, 100% diecast",
    "Škoda 1000_MB",
    "The Queen Mary\t(3 funnels)",
    "Città di Napoli, 1:10%",
)
PRODUCT_DESCRIPTIONS = (
    "Made to scale from the maker's drawings.",
    'Features:\n\t- opening doors\n\t- "real" leather\n\t- 100% metal',
    "Handgefertigt, größtenteils aus Messing; weighs 1\\2 kg.",
    "",
)


class Status(NamedTuple):
    """A status as typed in the shop: how many of a thousand orders, and whether they left and are paid."""

    text: str
    weight: int
    shipped: bool = False
    paid: bool = False


STATUSES = (
    Status("Shipped", 880, shipped=True, paid=True),
    Status("Resolved", 20, shipped=True, paid=True),
    Status("Disputed", 12, shipped=True),
    Status("On Hold", 14),
    Status("In Process", 24),
    Status("Cancelled", 35),
    Status("cancelled", 5),
    Status(" Cancelled", 5),
    Status("CANCELLED ", 5),
)

COMMENTS: tuple[tuple[str | None, int], ...] = (
    (None, 700),
    ("", 50),
    ("Customer requested that DHL is used for this shipping", 60),
    ('They don\'t like the "new" boxes; try C:\\old\\boxes', 50),
    ("10% off next time,\nthen 5%\r\nthen none", 50),
    ("Column\tbetween\ttabs", 30),
    ("Bitte größere Kartons: 箱 🚚", 30),
    (" NULL ", 15),
    ("%s %(name)s {0} $1 :order_number ?", 15),
)
