"""A checkout to bisect."""

from pathlib import Path

import pytest

from tests.bisect.repositories import BOUNDED, BROKEN, LEAKY, SUBJECT, commit, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Bounded twice, then leaky twice, then one that does not load, then leaky."""
    folder = tmp_path / "checkout"
    (folder / "src").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "src" / "vad.py").write_text(SUBJECT)
    states = [BOUNDED, BOUNDED, LEAKY, LEAKY, BROKEN, LEAKY]
    for number, state in enumerate(states):
        commit(folder, state, f"commit {number}")
    return folder
