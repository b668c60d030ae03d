"""Dates and times as files write them: each function is a step of the query, as columns of SQL."""

from salespipe_dagster.landing.sql import literal, named

_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_ZONE = r"[Zz]|UTC|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?"
_MOMENT = rf"^(\d{{4}}-\d{{2}}-\d{{2}})(?:[Tt ]({_CLOCK})(:[0-5]\d(?:\.\d*)?)? ?({_ZONE})?)?$"


def plain(name: str) -> str:
    """The date and time, where it is written as the database writes it, or with a T between or a Z at the end."""
    text = named("t", name)
    cast, day = f"try_cast({text} AS TIMESTAMP)", f"try_cast({text} AS DATE)"
    return f"""CASE WHEN {cast}::VARCHAR = {text} THEN {cast}
        WHEN {cast}::VARCHAR = replace({text}, 'T', ' ') THEN {cast}
        WHEN {cast}::VARCHAR || 'Z' = replace({text}, 'T', ' ') THEN {cast}
        WHEN {day}::VARCHAR = {text} THEN {day}::TIMESTAMP END AS {named("d", name)}"""


def taken_apart(name: str) -> str:
    """What any other date and time is made of; empty texts where it is none."""
    extract = f"regexp_extract({named('t', name)}, {literal(_MOMENT)}, ['day', 'clock', 'seconds', 'zone'])"
    return f"CASE WHEN {named('d', name)} IS NULL THEN {extract} END AS {named('p', name)}"


def moment(name: str) -> str:
    """The date and time as written, and how many minutes its clock is ahead of UTC."""
    whole, parts = named("d", name), named("p", name)
    seconds, zone = f"{parts}.seconds", f"{parts}.zone"
    # What is finer than a microsecond the cast cuts and does not round: no instant becomes one of the next day.
    return f"""
        CASE WHEN {whole} IS NOT NULL THEN {whole} ELSE try_cast({parts}.day || ' '
            || coalesce(nullif({parts}.clock, ''), '00:00')
            || coalesce(nullif(rtrim({seconds}, '.'), ''), ':00') AS TIMESTAMP) END AS {named("m", name)},
        CASE WHEN {zone}[1] IN ('+', '-') THEN ({zone}[1] || '1')::INTEGER * ({zone}[2:3]::INTEGER * 60
            + CASE WHEN len({zone}) > 3 THEN {zone}[-2:]::INTEGER ELSE 0 END) END AS {named("z", name)}"""
