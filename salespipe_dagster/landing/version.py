"""One content of a file of a feed: what is landed once, and the name that everything made of it carries."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Version:
    """One content of a file.

    Attributes:
        table: the name of the feed's staging table.
        key: the file's key below FILES_URL.
        etag: what the store calls this content.
        size: in bytes.
        modified: when it was written, UTC.
        name: as what it lands where that is not its own id: after what landed of the file before it.
    """

    table: str
    key: str
    etag: str
    size: int
    modified: datetime
    name: str = ""

    @property
    def id(self) -> str:
        """Its name in the lake: of which key, written when, which content; safe in a path, no dot in it.

        Names of one key sort by the instant: all parts but the last have a fixed width.
        """
        return self.name or f"{digest_of(self.key)}-{microseconds(self.modified):016x}-{_safe(self.etag)}"

    @property
    def shown_key(self) -> str:
        """The key as it is shown."""
        return shown(self.key)


def shown(key: str) -> str:
    """A file's key as text: its name on a disk may hold bytes that are none."""
    return key.encode(errors="backslashreplace").decode()


def digest_of(key: str) -> str:
    """What stands for a file's key in the names of its versions."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def microseconds(instant: datetime) -> int:
    """The instant as microseconds since 1970, exactly; a file that claims to be older than that is from 1970."""
    return max(0, (instant - _EPOCH) // timedelta(microseconds=1))


def _safe(etag: str) -> str:
    """The ETag where it is short and of letters, digits and hyphens, as stores' are; a digest of it otherwise."""
    bare = etag.removeprefix("W/").strip('"')
    if re.fullmatch(r"[A-Za-z0-9-]{1,40}", bare):
        return bare
    return hashlib.sha256(etag.encode("utf-8", "surrogateescape")).hexdigest()[:32]
