"""SIGTERM and SIGHUP do what Ctrl-C does: end the workers, keep what there is, say so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_RELAYED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody wants this process to end.

    `signal` is what it was told by.
    """

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.signal = number


class _Relay:
    """Turns signals into exceptions, at once or when what must not be cut short is done."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._is_held = False
        self._pending: Interrupted | None = None
        self._has_interrupted = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        # Whoever hangs up or shuts down often says so twice, to the group and to the process; only
        # somebody at the keyboard who asks again wants what is being saved to be left.
        if self._has_interrupted and number != signal.SIGINT:
            return
        self._has_interrupted = True
        interruption = Interrupted(signal.Signals(number))
        if not self._is_held:
            raise interruption
        self._pending = self._pending or interruption

    def hold(self) -> None:
        self._is_held = True

    def release(self) -> None:
        self._is_held = False
        pending, self._pending = self._pending, None
        if pending is not None:
            raise pending


_relay = _Relay()


@contextmanager
def signals_raise() -> Iterator[None]:
    """Have :class:`Interrupted` raised where a signal asks this process to end.

    A signal that is ignored stays so: that is what ``nohup`` and ``&`` are for.
    """
    _relay.reset()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _RELAYED:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, _relay)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_held() -> Iterator[None]:
    """Let no signal cut short what is done within; one that came is raised behind it."""
    _relay.hold()
    try:
        yield
    finally:
        _relay.release()
