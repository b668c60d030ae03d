"""The most memory that a process, and what it started, held at once, and the most that lay in a folder."""

import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

MEGABYTE = 1_000_000


class Peak(ABC):
    """Samples bytes while the block runs; `idle` is what they were at the block's start."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.idle = self.peak = self._now()

    @property
    def growth(self) -> int:
        """How far the peak lies above the beginning."""
        return self.peak - self.idle

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self.peak = max(self.peak, self._now())

    def _sample(self) -> None:
        while not self._done.wait(self._every):
            self.peak = max(self.peak, self._now())

    @abstractmethod
    def _now(self) -> int: ...


class PeakMemory(Peak):
    """Resident memory of a process; with `tree` also of all that it started, which without `own` is meant alone."""

    def __init__(
        self, pid: int | None = None, *, tree: bool = False, own: bool = True, every: float | None = None
    ) -> None:
        self._process = psutil.Process(pid)
        self._tree = tree
        self._own = own
        # To find what a process started takes a look at every process of the machine.
        super().__init__(every or (0.2 if tree else 0.01))

    def _now(self) -> int:
        total = 0
        try:
            started = self._process.children(recursive=True) if self._tree else []
            for process in [self._process, *started] if self._own else started:
                total += process.memory_info().rss
        except psutil.Error:  # it ended in between
            pass
        return total


class PeakDisk(Peak):
    """What lies below the folders of a folder whose names begin with this."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder = folder
        self._prefix = prefix
        super().__init__(every=0.5)

    def _now(self) -> int:
        total = 0
        for found in self._folder.glob(f"{self._prefix}*"):
            for where, _, names in os.walk(found):
                for name in names:
                    with suppress(FileNotFoundError):  # it went in between
                        total += Path(where, name).stat().st_size
        return total
