"""One object of S3: the requests for it, each repeated or settled until its outcome is known.

Nothing is ever locked: a PUT and a completed multipart upload are atomic, and take place on the condition that
the object there is the one that was seen. Each carries a token, so that where the answer is lost, and the
repeated request finds its own object in the way, it is known as this one's and not taken for another's.
"""

import contextlib
import io
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from salespipe_spark.lake.objects import Changed, Entry, Raced
from salespipe_spark.lake.s3_client import AT_ONCE, ATTEMPTS, code_of, explained

COPIED = 512 * 1024**2
"""Bytes of a part that the server copies: 10,000 of them are the largest object that there is."""

SENT = 16 * 1024**2
"""Bytes of a part that is sent or fetched."""

TOKEN = "salespipe-token"
NOTHING = ("404", "NoSuchKey", "NotFound")
REFUSED = ("412", "PreconditionFailed", "ConditionalRequestConflict", *NOTHING)
"""What a server answers where a condition does not hold; to If-Match also that nothing is there."""

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The results in order, with some requests side by side."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(function, items))


def plain(etag: str) -> str:
    """An ETag without the quotes that it has on the wire."""
    return etag.strip('"')


@dataclass(frozen=True)
class S3Object:
    """An object by its place, whether it is there or not.

    Attributes:
        client: of the server.
        bucket: that it lies in.
        key: in the bucket, the store's prefix included.
    """

    client: Any
    bucket: str
    key: str

    @property
    def at(self) -> dict[str, str]:
        """The object as a request names it."""
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def uri(self) -> str:
        """Its URL."""
        return f"s3://{self.bucket}/{self.key}"

    def head(self) -> dict[str, Any] | None:
        """What the server tells of it; None where there is nothing."""
        with explained(self.uri):
            try:
                return self.client.head_object(**self.at)
            except ClientError as error:
                if code_of(error) in NOTHING:
                    return None
                raise

    def read(self) -> bytes | None:
        """Its bytes; None where there is nothing."""
        try:
            return self._bytes()
        except _Refused:
            return None

    def range(self, seen: Entry, start: int, length: int) -> bytes:
        """So many bytes from there on.

        Raises:
            Changed: it is no longer what was seen.
        """
        stop = min(start + length, seen.size)
        span = {"Range": f"bytes={start}-{stop - 1}"} if stop > start else {}
        try:
            return self._bytes(**span, IfMatch=_quoted(seen.etag))
        except _Refused:
            raise Changed(self.uri) from None

    def open(self, seen: Entry) -> BinaryIO:
        """It as a file that is read by ranges."""
        return io.BufferedReader(_Remote(self, seen), 64 * 1024)

    def download(self, seen: Entry, target: Path) -> None:
        """Write it to a file, a range at a time.

        Raises:
            Changed: it is no longer what was seen.
        """
        with target.open("wb") as file:
            for start in range(0, max(seen.size, 1), SENT):
                file.write(self.range(seen, start, SENT))

    def put(self, content: bytes) -> None:
        """Put bytes in its place, whatever is there."""
        with explained(self.uri):
            self.client.put_object(**self.at, Body=content)

    def put_over(self, content: bytes, seen: str) -> str:
        """Put bytes in place of what was seen, in one step; returns their ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        return self._over(seen, lambda marked, condition: self.client.put_object(**marked, Body=content, **condition))

    def copy_over(self, source: "S3Object", version: Entry, seen: str) -> str:
        """Let the server put a copy of a version of the source in place of what was seen; returns its ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        return self._over(seen, lambda marked, condition: self._copy(source, version, marked, condition))

    def upload(self, file: Path) -> None:
        """Put a file in its place in one step, a large one in parts, whatever is there."""
        token = uuid.uuid4().hex
        config = TransferConfig(multipart_threshold=SENT, multipart_chunksize=SENT, max_concurrency=4)
        with explained(self.uri):
            try:
                extra = {"Metadata": {TOKEN: token}}
                self.client.upload_file(str(file), self.bucket, self.key, ExtraArgs=extra, Config=config)
            except (S3UploadFailedError, ClientError, HTTPClientError):
                if (self.head() or {}).get("Metadata", {}).get(TOKEN) != token:
                    raise

    def remove(self) -> None:
        """Remove it; where there is nothing, nothing happens."""
        with explained(self.uri):
            self.client.delete_object(**self.at)

    def _over(self, seen: str, put: Callable[[dict[str, Any], dict[str, str]], Any]) -> str:
        """Put something on condition; what a lost answer leaves open is settled by the token."""
        condition = {"IfMatch": _quoted(seen)} if seen else {"IfNoneMatch": "*"}
        token = uuid.uuid4().hex
        with explained(self.uri):
            try:
                return plain(put({**self.at, "Metadata": {TOKEN: token}}, condition)["ETag"])
            except (ClientError, HTTPClientError) as error:
                found = self.head() or {}
                if found.get("Metadata", {}).get(TOKEN) == token:
                    return plain(found["ETag"])
                if code_of(error) in REFUSED:
                    raise Raced(self.uri) from None
                raise

    def _copy(self, source: "S3Object", version: Entry, marked: dict[str, Any], condition: dict[str, str]) -> Any:
        """Let the server copy an object, in parts; it appears when they are put together."""
        upload = {**self.at, "UploadId": self.client.create_multipart_upload(**marked)["UploadId"]}

        def copied(number: int) -> dict[str, Any]:
            first = (number - 1) * COPIED
            response = self.client.upload_part_copy(
                **upload,
                PartNumber=number,
                CopySource=source.at,
                CopySourceIfMatch=_quoted(version.etag),
                CopySourceRange=f"bytes={first}-{min(first + COPIED, version.size) - 1}",
            )
            return {"PartNumber": number, "ETag": response["CopyPartResult"]["ETag"]}

        try:
            parts = side_by_side(copied, range(1, -(-version.size // COPIED) + 1))
            return self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except (ClientError, HTTPClientError):
            with contextlib.suppress(ClientError, HTTPClientError):
                self.client.abort_multipart_upload(**upload)  # of one that is complete, nothing happens
            raise

    def _bytes(self, **asked: str) -> bytes:
        """What a GET answers; a body that breaks off is asked for again, which the client does not do by itself."""
        with explained(self.uri):
            for left in reversed(range(ATTEMPTS)):
                try:
                    return self.client.get_object(**self.at, **asked)["Body"].read()
                except ClientError as error:
                    if code_of(error) in REFUSED:
                        raise _Refused from None
                    raise
                except (HTTPClientError, IncompleteReadError):
                    if not left:
                        raise
            raise AssertionError


class _Refused(Exception):
    """The object is not there, or not the one that was asked for."""


class _Remote(io.RawIOBase):
    """An object as a file that is read by ranges."""

    def __init__(self, remote: S3Object, seen: Entry) -> None:
        self._remote, self._seen, self._place = remote, seen, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._seen.size}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read from there on."""
        length = max(min(len(buffer), self._seen.size - self._place), 0)
        if length:
            buffer[:length] = self._remote.range(self._seen, self._place, length)
        self._place += length
        return length


def _quoted(etag: str) -> str:
    return f'"{etag}"'
