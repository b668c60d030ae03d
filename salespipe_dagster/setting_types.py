"""What a setting's value may be: types that refuse all else by the variable's name, and repeat no secret."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr, ValidationInfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from salespipe_dagster.resources.source_connection import require_known_parameters
from salespipe_spark import months
from salespipe_spark.errors import SalespipeError

PREFIX = "SALESPIPE_"
SERVICES = ("emr-serverless", "glue")
"""Services that run a job for each table."""
ENGINES = ("sail", "spark", *SERVICES)
MASTER = r"local\[[0-9*, ]+\]|yarn|sc://[^\s/@;]+(/(;use_ssl=(true|false))?)?|(?!sc:)[a-z][a-z0-9+.-]*://[^\s@;?]+"
"""A Spark of one's own: its master, or its Connect server."""


def variable(field: str) -> str:
    """The variable that a field of the settings is read from."""
    return PREFIX + field.upper()


def database_url(text: str) -> URL:
    """The URL of the shop's database.

    Raises:
        SalespipeError: it is none, or of a database that salespipe does not read, or has an unknown parameter.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # their messages hold the URL, and with it a password
        url = None
    if url is None or url.drivername not in ("sqlite", "mysql+pymysql"):
        hint = "for example mysql+pymysql://user@host/classicmodels"
        raise SalespipeError("SALESPIPE_SOURCE_URL is not the URL of a MySQL or SQLite database.", hint)
    require_known_parameters(url)
    return url


def _month(value: str, info: ValidationInfo) -> str:
    try:
        return months.parse(value)
    except SalespipeError as error:
        raise SalespipeError(f"{variable(info.field_name or '')}: {error.message}", error.hint) from None


def _database(value: SecretStr) -> SecretStr:
    database_url(value.get_secret_value())
    return value


def _place(value: str, info: ValidationInfo) -> str:
    if "://" not in value or re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#]*)?", value):
        return value
    # The value is not repeated: who puts keys into a URL has put a secret there.
    hint = "for example a folder, or s3://bucket/prefix; credentials are AWS's own settings, never in the URL"
    raise SalespipeError(f"{variable(info.field_name or '')} is neither a folder nor a place in S3.", hint)


def _server(value: str) -> str:
    if not re.fullmatch(r"https?://[^/@?#\s]+/?", value):
        hint = "for example http://127.0.0.1:8333"
        raise SalespipeError("SALESPIPE_S3_ENDPOINT_URL is not the URL of a server.", hint)
    return value


def _engine(value: str) -> str:
    if value in ENGINES or re.fullmatch(MASTER, value):
        return value
    # Not repeated: who puts a token into the URL has put a secret there.
    hint = "for example spark://host:7077 or sc://host:15002; a token goes into SPARK_CONNECT_AUTHENTICATE_TOKEN"
    raise SalespipeError(f"SALESPIPE_ENGINE is none of {', '.join(ENGINES)}, and no URL of a Spark.", hint)


def _parameters(value: str) -> str:
    if re.search(r"password|secret|token|--py-files", value, re.IGNORECASE):
        hint = "what a job reads it reads as its role; the code is named by salespipe itself"
        raise SalespipeError("SALESPIPE_EMR_PARAMETERS holds a secret, or names files of Python.", hint)
    return value


Month = Annotated[str, AfterValidator(_month)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Place = Annotated[str, AfterValidator(_place)]
"""A folder, or s3://bucket/prefix."""
ServerUrl = Annotated[str, AfterValidator(_server)]
EngineName = Annotated[str, AfterValidator(_engine)]
SubmitParameters = Annotated[str, AfterValidator(_parameters)]
