"""Fixtures for every test: where the published checkpoint and real speech are, if anywhere."""

import os
from pathlib import Path

import hypothesis
import pytest

# The suite is a gate: the same examples every time, however slow the machine. `nox -s fuzz` looks
# for new ones.
hypothesis.settings.register_profile("gate", derandomize=True, deadline=None, database=None)
hypothesis.settings.register_profile("search", deadline=None, print_blob=True)
hypothesis.settings.load_profile("search" if "LEAKBENCH_FUZZ_EXAMPLES" in os.environ else "gate")

_SHARED = Path(os.environ.get("LEAKBENCH_SHARED", Path(__file__).parents[1].parent / "shared"))


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    if not _SHARED.is_dir():
        pytest.skip(f"no shared test data at {_SHARED}; set LEAKBENCH_SHARED to its folder")
    return _SHARED


@pytest.fixture(scope="session")
def published_model(shared_folder: Path) -> Path:
    """Folder of the published FSMN-VAD checkpoint."""
    folder = shared_folder / "fsmn-vad"
    if not (folder / "model.pt").is_file():
        pytest.skip(f"no published checkpoint at {folder}")
    return folder


@pytest.fixture(scope="session")
def real_speech(shared_folder: Path) -> Path:
    """A recording of real speech, 16 kHz mono."""
    path = shared_folder / "recordings" / "vad_example.wav"
    if not path.is_file():
        pytest.skip(f"no recording at {path}")
    return path
