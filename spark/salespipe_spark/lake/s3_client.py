"""The client of S3: how it is made, what it finds its credentials by, and what its errors come to."""

import contextlib
from collections.abc import Generator
from datetime import datetime
from functools import cache
from typing import Any
from xml.etree import ElementTree

import boto3
import botocore.session
from boto3.exceptions import S3UploadFailedError
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import parse_timestamp

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.objects import Denied
from salespipe_spark.lake.store import S3Server

ATTEMPTS = 5
AT_ONCE = 8
"""Requests side by side."""

ROLES = ("iam-role", "container-role", "assume-role-with-web-identity")
"""Where credentials come from that the machine renews."""


@cache
def client_of(server: S3Server) -> Any:
    """A client of the server; one for all, as it may be used by many threads and takes a while to make."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=4 * AT_ONCE,
        # The checksums of late are unknown to many servers.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if server.endpoint_url else {},
    )
    with explained("S3"):
        core = botocore.session.get_session()  # one of its own: the default one is not safe for threads
        session = boto3.Session(botocore_session=core, region_name=server.region)
        client = session.client("s3", endpoint_url=server.endpoint_url, config=config)
        client.meta.events.register("before-parse.s3.ListObjectsV2", _take_objects)
        return client


def _take_objects(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Read the objects of a listing, and leave the rest of it to botocore: a listing takes a third less time so."""
    if response_dict["status_code"] != 200:
        return
    try:
        listing = ElementTree.fromstring(response_dict["body"])
    except ElementTree.ParseError:
        return  # botocore says what is wrong with it
    space = listing.tag.removesuffix("ListBucketResult")
    objects = listing.findall(f"{space}Contents")
    if objects:
        listing[:] = [each for each in listing if each.tag != f"{space}Contents"]
        response_dict["body"] = ElementTree.tostring(listing)
        customized_response_dict["Contents"] = [_object(each, space) for each in objects]


def _object(listed: ElementTree.Element, space: str) -> dict[str, Any]:
    texts = {field.tag: field.text or "" for field in listed}
    return {
        "Key": texts[f"{space}Key"],
        "ETag": texts[f"{space}ETag"],
        "Size": int(texts[f"{space}Size"]),
        "LastModified": _instant(texts[f"{space}LastModified"]),
    }


def _instant(text: str) -> datetime:
    """An instant as listings have it, or else in any form that S3 uses elsewhere."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parse_timestamp(text)


def environment(server: S3Server) -> dict[str, str]:
    """What an engine in this process, or one that it starts, finds the server by: never in a plan or on a command line.

    Credentials that expire and are renewed by the machine itself (a role) are left to the engine to find.

    Raises:
        SalespipeError: there are no credentials.
    """
    session = boto3.Session(region_name=server.region)
    credentials = session.get_credentials()
    if credentials is None:
        raise SalespipeError("There are no credentials for S3.", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    found = {"AWS_REGION": session.region_name or "us-east-1"}
    if server.endpoint_url:
        found |= {"AWS_ENDPOINT": server.endpoint_url}
        found |= {"AWS_ALLOW_HTTP": "true"} if server.endpoint_url.startswith("http:") else {}
    if credentials.method not in ROLES:
        given = credentials.get_frozen_credentials()
        found |= {"AWS_ACCESS_KEY_ID": given.access_key, "AWS_SECRET_ACCESS_KEY": given.secret_key}
        found |= {"AWS_SESSION_TOKEN": given.token} if given.token else {}
    return found


@contextlib.contextmanager
def explained(place: str) -> Generator[None]:
    """Turn what the client raises into one clear error with the next step, without secrets."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        hints = {
            "NoSuchBucket": "make the bucket, or correct SALESPIPE_LAKE_URL or SALESPIPE_FILES_URL",
            "InvalidAccessKeyId": "correct AWS_ACCESS_KEY_ID",
            "SignatureDoesNotMatch": "correct AWS_SECRET_ACCESS_KEY",
            "AccessDenied": "let the user whose credentials these are read it, or move it elsewhere; then run again",
            "InvalidObjectState": "restore it from the archive, or move it elsewhere; then run again",
            "ExpiredToken": "renew the credentials, then run again",
        }
        hint = hints.get(code, "salespipe doctor tells whether the bucket can be read and written; then run again")
        kind = Denied if code in ("AccessDenied", "InvalidObjectState") else SalespipeError
        raise kind(f"{place}: the server answered {code} to {error.operation_name}.", hint) from None
    except (BotoCoreError, S3UploadFailedError) as error:
        hint = "SALESPIPE_S3_ENDPOINT_URL, AWS credentials and region: salespipe doctor tells what is missing"
        raise SalespipeError(f"{place} cannot be reached: {error}", hint) from None


def code_of(error: Exception) -> str:
    """The code of what a server answered; empty for what is no answer."""
    response: dict[str, Any] = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
