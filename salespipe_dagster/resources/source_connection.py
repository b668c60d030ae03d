"""How the source is reached: engine, scanner's URL, verified TLS, and errors that a user can read.

No text made here holds a password. TLS is verified wherever the host is not this machine, and wherever
the URL names a CA (`?ssl_ca=/path/ca.pem`); `?ssl_disabled=true` turns it off.
"""

import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from salespipe_dagster.resources.source_functions import PythonRowsDigest
from salespipe_spark.errors import SalespipeError

TIMEOUT = 5
LOCAL = (None, "", "localhost", "127.0.0.1", "::1")
PARAMETERS = ("ssl_ca", "ssl_disabled")
DOCTOR = "`salespipe doctor` tells what can be reached"

# What a server's error number, or SQLite's text, means to a user: what it did, and the next step.
MEANING: dict[tuple[int | str, ...], tuple[str, str]] = {
    (2002, 2003, 2005): ("cannot be reached", "check host and port in SALESPIPE_SOURCE_URL, and that the server runs"),
    (2006, 2013): ("broke off the connection", "run again; if it stays, look into the server's log"),
    (2026,): ("offers no TLS", "have TLS set up on the server, or add ?ssl_disabled=true to SALESPIPE_SOURCE_URL"),
    (1045, 1130, 1698): (
        "refuses the user",
        "correct the user in SALESPIPE_SOURCE_URL and the password in SALESPIPE_SOURCE_PASSWORD",
    ),
    (1049,): ("has no such database", "correct the database in SALESPIPE_SOURCE_URL, or create it"),
    (1205, 1213, "database is locked"): ("is being written by somebody else", "wait for the other run, and run again"),
    (1044, 1142, 1143): ("does not allow this", "grant SELECT on the tables to the user"),
}


def require_known_parameters(url: sa.URL) -> None:
    """Refuse a URL with others: they would be ignored, and shown, a password among them.

    Raises:
        SalespipeError: names the parameters, not their values.
    """
    unknown = sorted(set(url.query) - set(PARAMETERS))
    if unknown:
        hint = f"known are {', '.join(PARAMETERS)}; the password goes into SALESPIPE_SOURCE_PASSWORD"
        raise SalespipeError(f"SALESPIPE_SOURCE_URL: salespipe knows no parameter {', '.join(unknown)}.", hint)


def place(url: sa.URL) -> str:
    """Where the source is, as errors name it."""
    if url.get_backend_name() == "sqlite":
        return f"The source database {url.database}"
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"The source database {url.database} at {user}{url.host or 'localhost'}{port}"


def engine(
    url: sa.URL, *, read_timeout: int | None = None, local_infile: bool = False, patience: int = TIMEOUT
) -> sa.Engine:
    """An engine without a pool; it connects when it is asked something.

    Args:
        url: of the database.
        read_timeout: seconds until a server that says nothing is given up; for ever if None.
        local_infile: whether the server may ask for a file of this machine, which LOAD DATA LOCAL needs.
        patience: seconds to wait for another writer of a SQLite file.

    Raises:
        SalespipeError: the URL names no database, has an unknown parameter or a CA that cannot be read.
    """
    if not url.database:
        hint = "append it, for example mysql+pymysql://user@host/classicmodels"
        raise SalespipeError("SALESPIPE_SOURCE_URL names no database.", hint)
    if url.get_backend_name() == "sqlite":
        waits = {"timeout": patience}
        made = sa.create_engine(url, connect_args=waits, poolclass=NullPool, hide_parameters=True)
        event.listen(made, "connect", _teach_sqlite)
        return made
    arguments: dict[str, Any] = {
        "connect_timeout": TIMEOUT,
        "read_timeout": read_timeout,
        "local_infile": local_infile,
        # Whatever the server's own mode: a bad value is an error, and 0000-00-00 can be asked for.
        "sql_mode": "STRICT_ALL_TABLES",
        # PyMySQL would encode it as Latin-1; the scanner and the server's own client use UTF-8.
        "password": (url.password or "").encode(),
    }
    if verifies(url):
        arguments["ssl"] = _tls(url)
    made = sa.create_engine(url.set(query={}), connect_args=arguments, poolclass=NullPool, hide_parameters=True)
    if verifies(url):
        event.listen(made, "connect", _refuse_plaintext)
    return made


def scanner_url(url: sa.URL) -> str:
    """The URL for connectorx; it holds the password."""
    if url.get_backend_name() == "sqlite":
        return "sqlite://" + quote(str(Path(url.database or "").absolute()))
    user, password = quote(url.username or "", safe=""), quote(url.password or "", safe="")
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or "localhost"
    options = "prefer_socket=false"
    if verifies(url):
        options += "&ssl-mode=VERIFY_IDENTITY"
        if "ssl_ca" in url.query:
            options += "&ssl-ca=" + quote(str(Path(str(url.query["ssl_ca"])).absolute()), safe="")
    return f"mysql://{user}:{password}@{host}:{url.port or 3306}/{quote(url.database or '', safe='')}?{options}"


def without_password(text: str, url: sa.URL) -> str:
    """The text of somebody else's error; none is known to hold the password, and none shall."""
    for secret in (url.password, quote(url.password or "", safe="")):
        text = text.replace(secret, "***") if secret else text
    return text


@contextmanager
def explained(url: sa.URL) -> Generator[None]:
    """Turn what the driver raises into an error that says what, where and the next step."""
    try:
        yield
    except DBAPIError as error:
        # Not chained: what the driver says is in the text, and the text is what a user is shown.
        raise _explanation(url, error.orig) from None


def _explanation(url: sa.URL, error: BaseException | None) -> SalespipeError:
    number = error.args[0] if error and error.args else None
    said = without_password(": ".join(str(argument) for argument in error.args) if error else "", url)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        hint = "name the host as its certificate does, and its CA by ?ssl_ca=/path/ca.pem in SALESPIPE_SOURCE_URL"
        return SalespipeError(f"{place(url)} shows a certificate that does not prove who it is ({said}).", hint)
    for numbers, (meaning, hint) in MEANING.items():
        if number in numbers:
            return SalespipeError(f"{place(url)} {meaning} ({said}).", f"{hint}; then `salespipe doctor`")
    return SalespipeError(f"{place(url)}: {said}.", DOCTOR)


def verifies(url: sa.URL) -> bool:
    """Whether TLS with a verified certificate is asked for."""
    require_known_parameters(url)
    disabled = str(url.query.get("ssl_disabled", "false")).lower() in ("true", "1", "yes")
    return not disabled and (url.host not in LOCAL or "ssl_ca" in url.query)


def _tls(url: sa.URL) -> ssl.SSLContext:
    authority = str(url.query["ssl_ca"]) if "ssl_ca" in url.query else None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError as error:
        hint = "correct ssl_ca in SALESPIPE_SOURCE_URL: a file with the CA's certificate in PEM"
        raise SalespipeError(f"The CA {authority} cannot be read: {error}.", hint) from None
    # Python 3.13 refuses CAs that lack fields which MySQL's own do not have; who it is stays verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _refuse_plaintext(connection: Any, record: Any) -> None:
    """PyMySQL is told to; this is the proof."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
    if not row or not row[1]:
        raise SalespipeError("The connection to the source database is not encrypted.", MEANING[(2026,)][1])


def _teach_sqlite(connection: Any, record: Any) -> None:
    connection.create_aggregate("rows_digest", -1, PythonRowsDigest)
