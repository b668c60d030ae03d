"""The store in a bucket of S3, or of any server that speaks it.

Nothing is ever locked: a PUT and a completed multipart upload are atomic, and take place on the condition that
the object there is the one that was seen. Each carries a token, so that where the answer is lost, and the
repeated request finds its own object in the way, it is known as this one's and not taken for another's.
"""

import contextlib
import io
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from salespipe_spark.errors import SalespipeError
from salespipe_spark.lake.lease import STAGING, leased
from salespipe_spark.lake.objects import Changed, Entry, Raced, Store
from salespipe_spark.lake.s3_client import AT_ONCE, ATTEMPTS, client_of, code_of, explained
from salespipe_spark.lake.store import LocalStore, S3Server

SMALL = 1024**2
"""Bytes: up to here an object is replaced by its bytes; a larger one is copied by the server, in parts."""

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


class S3Store(Store):
    """Objects below a prefix of a bucket."""

    def __init__(self, url: str, scratch: Path, server: S3Server) -> None:
        """A store that opens no connection before it is used.

        Args:
            url: s3://bucket/prefix.
            scratch: a folder of this machine for what is staged before it is uploaded.
            server: who serves it.
        """
        self.bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self.place = f"s3://{self.bucket}/{self._prefix}".rstrip("/")
        self._scratch = LocalStore(scratch)
        self._server = server

    @property
    def client(self) -> Any:
        """The client of the server."""
        return client_of(self._server)

    def at(self, key: str) -> dict[str, str]:
        """The object of a key, as a request names it."""
        return {"Bucket": self.bucket, "Key": self._prefix + key}

    def uri(self, key: str) -> str:
        """The URL of the object."""
        return f"s3://{self.bucket}/{self._prefix}{key}"

    def entries(self, prefix: str) -> Iterator[Entry]:
        """All objects below a prefix, in the order of their keys; what ends in a slash is a folder's mark, not one."""
        yield from self.listed(prefix)[0]

    def listed(self, prefix: str) -> tuple[list[Entry], str]:
        """All objects below a prefix in order, and the time on the server's clock when it began to list them."""
        below = f"{self._prefix}{prefix.rstrip('/')}/" if prefix else self._prefix
        found: list[Entry] = []
        now = ""
        with explained(self.place):
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=below):
                now = now or page["ResponseMetadata"]["HTTPHeaders"]["date"]
                found += [
                    self._entry(each["Key"].removeprefix(self._prefix), each) for each in page.get("Contents", ())
                ]
        objects = (entry for entry in found if not entry.key.endswith("/"))
        return sorted(objects, key=lambda entry: entry.key), now  # not every server lists in order

    def entry(self, key: str) -> Entry | None:
        """The object at the key; None where there is nothing."""
        found = self._head(key)
        return self._entry(key, found) if found else None

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is nothing."""
        try:
            with explained(self.uri(key)):
                return self._bytes(**self.at(key))
        except _Refused:
            return None

    def open(self, entry: Entry) -> BinaryIO:
        """The object for reading, a range at a time."""
        return io.BufferedReader(_Remote(self, entry), 64 * 1024)

    def range(self, entry: Entry, start: int, length: int) -> bytes:
        """So many bytes of the object from there on.

        Raises:
            Changed: it is no longer what was listed.
        """
        stop = min(start + length, entry.size)
        span = {"Range": f"bytes={start}-{stop - 1}"} if stop > start else {}
        try:
            with explained(self.uri(entry.key)):
                return self._bytes(**self.at(entry.key), **span, IfMatch=_quoted(entry.etag))
        except _Refused:
            raise Changed(self.uri(entry.key)) from None

    def download(self, entry: Entry, target: Path) -> None:
        """Write the object to a file, a range at a time.

        Raises:
            Changed: it is no longer what was listed.
        """
        with target.open("wb") as file:
            for start in range(0, max(entry.size, 1), SENT):
                file.write(self.range(entry, start, SENT))

    def put(self, key: str, content: bytes) -> None:
        """Put bytes in place in one step; the same ones are left alone."""
        found = self.entry(key)
        if found and found.size == len(content) and self.read(key) == content:
            return
        with explained(self.uri(key)):
            self.client.put_object(**self.at(key), Body=content)

    def put_over(self, key: str, content: bytes, seen: str) -> str:
        """Put bytes in place of what was seen, in one step; returns their ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        return self._over(
            key, seen, lambda marked, condition: self.client.put_object(**marked, Body=content, **condition)
        )

    def replace(self, staged: str, key: str, seen: str) -> str:
        """Put a copy of a staged object in place of what was seen, in one step; returns its ETag.

        Raises:
            Raced: what is there is not what was seen.
        """
        source = self.entry(staged)
        content = self.read(staged) if source and source.size <= SMALL else None
        if source is None or (content is None and source.size <= SMALL):
            raise SalespipeError(f"{self.uri(staged)} is gone, before it was published.", "run again")
        if content is not None:
            return self.put_over(key, content, seen)
        return self._over(key, seen, lambda marked, condition: self._copy(source, marked, condition))

    def upload(self, file: Path, key: str) -> Entry:
        """Put a file in place in one step, a large one in parts."""
        token = uuid.uuid4().hex
        config = TransferConfig(multipart_threshold=SENT, multipart_chunksize=SENT, max_concurrency=4)
        with explained(self.uri(key)):
            try:
                extra = {"Metadata": {TOKEN: token}}
                self.client.upload_file(str(file), *self.at(key).values(), ExtraArgs=extra, Config=config)
            except (S3UploadFailedError, ClientError, HTTPClientError):
                if (self._head(key) or {}).get("Metadata", {}).get(TOKEN) != token:
                    raise
        found = self.entry(key)
        if found is None:
            raise Changed(self.uri(key))
        return found

    def remove(self, key: str) -> None:
        """Remove the object; where there is nothing, nothing happens."""
        with explained(self.uri(key)):
            self.client.delete_object(**self.at(key))

    def locked(self, name: str) -> contextlib.AbstractContextManager[None]:
        """There are no locks in S3: what is put on condition needs none."""
        return contextlib.nullcontext()

    def writing(self) -> contextlib.AbstractContextManager[None]:
        """Errors of S3 are clear as they come; those of this machine's disk are made so."""
        return self._scratch.writing()

    @contextlib.contextmanager
    def staging(self) -> Generator[Path]:
        """A fresh staging folder here, whose name is leased in S3 too; what dead runs left is removed first."""
        with leased(self) as name, self._scratch.staging() as folder:
            own = folder / name
            own.mkdir()
            yield own

    def staged_key(self, path: Path) -> str:
        """The key of a path in a staging folder: below the folder's name in S3."""
        _, *names = path.relative_to(self._scratch.path(STAGING)).parts
        return "/".join([STAGING, *names])

    def confirm(self, folder: Path) -> None:
        """Make sure that the lease is there: whoever sweeps removes it before anything else.

        Raises:
            SalespipeError: it is not.
        """
        _, run, *_ = self.staged_key(folder).split("/")
        if self.entry(f"{STAGING}/{run}/lease") is None:
            hint = "run again; another run took this one for dead, as it did not reach S3 for a minute"
            raise SalespipeError(f"What was staged in {self.uri(f'{STAGING}/{run}')} was swept.", hint)

    def mapped(self, function: Callable[[T], R], items: Iterable[T]) -> Sequence[R]:
        """The results in order, with some requests side by side."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(function, items))

    def probe(self) -> str:
        """Write, read and remove an object; what was found, in words.

        Raises:
            SalespipeError: that is not possible, or the server takes no conditions: runs would overwrite each other.
        """
        key = f"_staging/probe-{uuid.uuid4().hex}"
        held = self.put_over(key, b"probe", "")
        try:
            for seen in ("", "0" * 32):
                with contextlib.suppress(Raced):
                    self.put_over(key, b"over it", seen)
                    hint = "use a server with conditional writes (If-Match, If-None-Match)"
                    raise SalespipeError(f"{self.place}: the server puts an object in spite of its condition.", hint)
            if self.read(key) != b"probe" or self.etag(key) != held:
                raise SalespipeError(f"{self.place}: what was written is not what is read.", "use another server")
        finally:
            self.remove(key)
        return f"{self.place}, read and written"

    def _over(self, key: str, seen: str, put: Callable[[dict[str, Any], dict[str, str]], Any]) -> str:
        """Put something on condition; what a lost answer leaves open is settled by the token."""
        condition = {"IfMatch": _quoted(seen)} if seen else {"IfNoneMatch": "*"}
        token = uuid.uuid4().hex
        with explained(self.uri(key)):
            try:
                return _plain(put({**self.at(key), "Metadata": {TOKEN: token}}, condition)["ETag"])
            except (ClientError, HTTPClientError) as error:
                found = self._head(key) or {}
                if found.get("Metadata", {}).get(TOKEN) == token:
                    return _plain(found["ETag"])
                if code_of(error) in REFUSED:
                    raise Raced(self.uri(key)) from None
                raise

    def _copy(self, source: Entry, marked: dict[str, Any], condition: dict[str, str]) -> Any:
        """Let the server copy an object, in parts; it appears when they are put together."""
        target = {name: marked[name] for name in ("Bucket", "Key")}
        upload = {**target, "UploadId": self.client.create_multipart_upload(**marked)["UploadId"]}

        def copied(number: int) -> dict[str, Any]:
            first = (number - 1) * COPIED
            response = self.client.upload_part_copy(
                **upload,
                PartNumber=number,
                CopySource=self.at(source.key),
                CopySourceIfMatch=_quoted(source.etag),
                CopySourceRange=f"bytes={first}-{min(first + COPIED, source.size) - 1}",
            )
            return {"PartNumber": number, "ETag": response["CopyPartResult"]["ETag"]}

        try:
            parts = self.mapped(copied, range(1, -(-source.size // COPIED) + 1))
            return self.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except (ClientError, HTTPClientError):
            with contextlib.suppress(ClientError, HTTPClientError):
                self.client.abort_multipart_upload(**upload)  # of one that is complete, nothing happens
            raise

    def _head(self, key: str) -> dict[str, Any] | None:
        with explained(self.uri(key)):
            try:
                return self.client.head_object(**self.at(key))
            except ClientError as error:
                if code_of(error) in NOTHING:
                    return None
                raise

    def _bytes(self, **asked: str) -> bytes:
        """What a GET answers; a body that breaks off is asked for again, which the client does not do by itself."""
        for left in reversed(range(ATTEMPTS)):
            try:
                return self.client.get_object(**asked)["Body"].read()
            except ClientError as error:
                if code_of(error) in REFUSED:
                    raise _Refused from None
                raise
            except (HTTPClientError, IncompleteReadError):
                if not left:
                    raise
        raise AssertionError

    @staticmethod
    def _entry(key: str, found: dict[str, Any]) -> Entry:
        size = found["Size"] if "Size" in found else found["ContentLength"]
        return Entry(key, _plain(found["ETag"]), size, found["LastModified"])


class _Refused(Exception):
    """The object is not there, or not the one that was asked for."""


class _Remote(io.RawIOBase):
    """An object as a file that is read by ranges."""

    def __init__(self, store: S3Store, entry: Entry) -> None:
        self._store, self._entry, self._place = store, entry, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._entry.size}[whence]
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read from there on."""
        length = max(min(len(buffer), self._entry.size - self._place), 0)
        if length:
            buffer[:length] = self._store.range(self._entry, self._place, length)
        self._place += length
        return length


def _plain(etag: str) -> str:
    return etag.strip('"')


def _quoted(etag: str) -> str:
    return f'"{etag}"'
