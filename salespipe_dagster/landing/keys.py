"""Which keys a file holds more than once, found by hashes on disk: memory does not grow with the file."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_IN_MEMORY = 1 << 20
_BUCKETS = 16
_BOUNDS = np.arange(1, _BUCKETS, dtype=np.uint64) << np.uint64(60)


class Keys:
    """The hashes of a file's keys, 8 bytes each: in files by their first digit, once there are too many of them."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / f"keys-{bucket:x}" for bucket in range(_BUCKETS)]
        self._held: list[Hashes] = [np.zeros(0, np.uint64)]

    def add(self, hashes: Hashes) -> None:
        """Take some more."""
        self._held.append(hashes)
        if sum(len(some) for some in self._held) <= _IN_MEMORY:
            return
        ordered = np.sort(np.concatenate(self._held))
        for file, some in zip(self._files, np.split(ordered, np.searchsorted(ordered, _BOUNDS)), strict=True):
            with file.open("ab") as stream:
                some.tofile(stream)
        self._held = [np.zeros(0, np.uint64)]

    def repeated(self) -> Hashes:
        """Those that were taken more than once, in order; the files are gone afterwards.

        Two keys may have one hash, so that these are suspects and no more.
        """
        held = np.sort(np.concatenate(self._held))
        found: list[Hashes] = []
        for file, some in zip(self._files, np.split(held, np.searchsorted(held, _BOUNDS)), strict=True):
            ordered = some
            if file.exists():
                ordered = np.sort(np.concatenate([some, np.fromfile(file, np.uint64)]))
                file.unlink()
            found.append(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]))
        return np.concatenate(found)


def among(hashes: Hashes, ordered: Hashes) -> npt.NDArray[np.bool_]:
    """Which hashes are among those, which are in order."""
    if not len(ordered):
        return np.zeros(len(hashes), np.bool_)
    places = np.minimum(np.searchsorted(ordered, hashes), len(ordered) - 1)
    return ordered[places] == hashes
