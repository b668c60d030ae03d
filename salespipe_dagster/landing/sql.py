"""Names and texts inside SQL, quoted: what comes from a contract or from us, never from a file."""


def named(kind: str, name: str) -> str:
    """What a column is called inside the query: t its text, v its value; of a date d, p, m and z."""
    return quoted(f"{kind}_{name}")


def quoted(name: str) -> str:
    """The name of a column."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text."""
    return "'" + text.replace("'", "''") + "'"
