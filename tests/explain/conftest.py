"""Second runs as users see them."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand outside the checkout: in it a worker imports leakbench from the current folder."""
    monkeypatch.chdir(tmp_path)
