"""The nasty parts of real data, all of them, and the one switch: a company with `quirks=False` has none.

They are there on purpose: each has broken a loader, a join or a sum somewhere. What is dealt out by
position is there for every seed.

- shared postal codes: two towns of one country, and towns of two countries, have the same postal code
- missing parts of places: postal codes that are NULL, or begin with a zero, or have blanks inside
- padded places: blanks around a customer's country, city, state or postal code, and around an office's
- customers without orders: one in eight never ordered anything
- customers without a sales rep: one in ten, with and without orders
- customers without a credit limit: one in twelve
- products never sold: one in thirty
- odd names: quotes, backslashes, percent signs, tabs, newlines, letters beyond ASCII, in names and texts
- missing and empty texts: NULL, the empty text and the word NULL are three things
- statuses typed by hand: cancelled in several spellings, with blanks around it
- comments from anywhere: line breaks of two kinds, emoji, placeholders of every driver
- cheques of cents: a typing mistake in an amount, made good by a second cheque on the same day
- orders paid twice: which may leave a customer with a credit
"""

from typing import NamedTuple


class Written(NamedTuple):
    """A text as it is typed in the shop, and how many of a thousand are."""

    text: str | None
    weight: int


CANCELLED = (
    Written("Cancelled", 700),
    Written("cancelled", 100),
    Written(" Cancelled", 100),
    Written("CANCELLED ", 100),
)
CANCELLED_CLEAN = (Written("Cancelled", 1000),)

COMMENTS = (
    Written(None, 700),
    Written("", 50),
    Written("Customer requested that DHL is used for this shipping", 60),
    Written('They don\'t like the "new" boxes; try C:\\old\\boxes', 50),
    Written("10% off next time,\nthen 5%\r\nthen none", 50),
    Written("Column\tbetween\ttabs", 30),
    Written("Bitte größere Kartons: 箱 🚚", 30),
    Written(" NULL ", 15),
    Written("%s %(name)s {0} $1 :order_number ?", 15),
)
COMMENTS_CLEAN = (
    Written(None, 900),
    Written("Customer requested that DHL is used for this shipping", 60),
    Written("Call before delivery", 40),
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

_NASTY = str.maketrans("", "", "'\"\\%{}<>")


def tidied(text: str) -> str:
    """The text as a clean company has it: one line, without quotes and signs that mean something to a loader."""
    return " ".join(text.translate(_NASTY).split())


def padded(parts: dict[str, str], turn: int) -> dict[str, str]:
    """One of the parts with blanks around it, as a form lets them through."""
    part, text = list(parts.items())[turn % len(parts)]
    return {part: (f"{text}  ", f" {text}", f"  {text} ")[turn % 3]}
