"""Signals as a process has them that was started by hand."""

import signal


def heed_signals() -> None:
    """Undo what whoever runs the tests may have ignored, as ``nohup`` and ``&`` do."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
