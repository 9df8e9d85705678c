"""A circuit breaker: after some failures in a row a service is left alone for a while, then tried once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic


class Breaker:
    """Counts failures in a row; safe to share between threads."""

    def __init__(self, failures: int, pause_seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._allowed, self._pause, self._clock = failures, pause_seconds, clock
        self._failed, self._open_until, self._lock = 0, 0.0, Lock()

    def closed(self) -> bool:
        """Whether the service may be asked now; once the pause is over, one caller may, and the others when that went well."""
        with self._lock:
            if self._failed < self._allowed:
                return True
            if self._clock() < self._open_until:
                return False
            self._open_until = self._clock() + self._pause
            return True

    def succeeded(self) -> None:
        """The service answered: it is trusted again."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """The service failed once more."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._allowed:
                self._open_until = self._clock() + self._pause
