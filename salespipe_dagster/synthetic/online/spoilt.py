"""Lines of a sales file that cannot be taken as they are, each wrong in one respect, and the reason why.

They are sales of their own that an exporter has mangled: the shop does not count them. The code of a
reason is the one that they are quarantined under.
"""

from collections.abc import Callable

from salespipe_dagster.synthetic.online.styles import Style

Fields = dict[str, str]

LATIN_1 = "Am\udce9rique"
"""A region with one byte that is no UTF-8, as `surrogateescape` writes it."""


def spoilt(turn: int, style: Style, fields: Fields) -> tuple[str, list[bytes]]:
    """The reason whose turn it is, and the lines that a sale becomes thereby: one, or two that contradict each other.

    Args:
        turn: any number.
        style: of the file.
        fields: of the sale, escaped as the style does.
    """
    reason = REASONS[turn % len(REASONS)]
    found = [style.line(each.values()) for each in _SPOILERS[reason](style, fields)]
    return reason, [line.encode("utf-8", "surrogateescape") for line in found]


def _with(**values: Callable[[str], str]) -> Callable[[Style, Fields], list[Fields]]:
    """What replaces these fields, and quotes them where it must."""

    def spoil(style: Style, fields: Fields) -> list[Fields]:
        return [fields | {name: style.field(value(fields[name])) for name, value in values.items()}]

    return spoil


def _one_more_cent(amount: str) -> str:
    cents = int(amount.replace(".", "")) + 1
    return f"{cents // 100}.{cents % 100:02d}"


def _without_the_last(_: Style, fields: Fields) -> list[Fields]:
    return [dict(list(fields.items())[:-1])]


def _twice_otherwise(_: Style, fields: Fields) -> list[Fields]:
    amount = int(fields["total_amount"].replace(".", "")) // int(fields["quantity"])
    other = fields | {"quantity": "7", "total_amount": f"{7 * amount // 100}.{7 * amount % 100:02d}"}
    return [fields | {"quantity": "1", "total_amount": fields["unit_price"]}, other]


_SPOILERS: dict[str, Callable[[Style, Fields], list[Fields]]] = {
    "bad_date": _with(date=lambda text: f"{text[:8]}32{text[10:]}"),
    "bad_number": _with(unit_price=lambda _: "n/a"),
    "decimal_comma": _with(unit_price=lambda text: text.replace(".", ",")),
    "negative_quantity": _with(quantity=lambda text: f"-{text}", total_amount=lambda text: f"-{text}"),
    "too_many_decimals": _with(unit_price=lambda text: f"{text}5"),
    "missing_value": _with(customer_id=lambda _: ""),
    "ragged_line": _without_the_last,
    "total_mismatch": _with(total_amount=_one_more_cent),
    "out_of_range": _with(date=lambda text: f"1999-12-31{text[10:]}"),
    "bad_encoding": _with(region=lambda _: LATIN_1),
    "conflicting_id": _twice_otherwise,
}
REASONS = tuple(_SPOILERS)
