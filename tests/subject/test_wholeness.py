"""What is broken in the cache is recognised and made anew; what is whole is left alone."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leakbench.errors import ProvisionError, SubjectSpecError
from leakbench.funasr import resolution
from leakbench.subject import environments
from leakbench.subject.environments import install_target, make_folder, make_venv
from leakbench.subject.wholeness import find_harm
from tests.subject.test_environments import build_wheel, cache, index

__all__ = ["cache", "index"]

Harm = Callable[[Path], None]

RELEASE = "pebble==1.1.0"
INFO = "pebble-1.1.0.dist-info"


def cut(folder: Path) -> None:
    file = folder / "pebble.py"
    file.write_bytes(file.read_bytes()[:3])


def change_a_letter(folder: Path) -> None:
    file = folder / "pebble.py"
    file.write_bytes(file.read_bytes().replace(b"V", b"W", 1))


def remove_a_file(folder: Path) -> None:
    (folder / "pebble.py").unlink()


def put_a_folder_in_its_place(folder: Path) -> None:
    remove_a_file(folder)
    (folder / "pebble.py").mkdir()


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def cut_the_record(folder: Path) -> None:
    record = folder / INFO / "RECORD"
    record.write_text(record.read_text()[:-20])


def end_the_record_in_nul(folder: Path) -> None:
    record = folder / INFO / "RECORD"
    record.write_bytes(record.read_bytes() + bytes(64))


def break_the_record(folder: Path) -> None:
    (folder / INFO / "RECORD").write_bytes(b"\xff\xfe")


def make_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")


def make_a_link_to_nowhere(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to("nowhere")


HARMS = (
    *(cut, change_a_letter, remove_a_file, put_a_folder_in_its_place, empty, cut_the_record),
    *(end_the_record_in_nul, break_the_record, make_a_file, make_a_link_to_nowhere),
)


@pytest.fixture
def release(index: Path, cache: Path) -> Path:
    """A small release in a cache, as pip leaves one."""
    folder = cache / "releases" / f"{RELEASE}-{sys.implementation.cache_tag}"
    with zipfile.ZipFile(index / "pebble-1.1.0-py3-none-any.whl") as wheel:
        wheel.extractall(folder)
    return folder


@pytest.mark.parametrize("harm", HARMS)
def test_whatever_was_done_to_a_release_is_seen(release: Path, harm: Harm) -> None:
    assert find_harm(release) == ""
    harm(release)
    seen = find_harm(release)
    assert seen
    assert not {"\n", "\0"} & set(seen)


@pytest.mark.parametrize("harm", [cut, make_a_link_to_nowhere])
def test_a_broken_release_is_made_anew(release: Path, cache: Path, harm: Harm) -> None:
    whole = (release / "pebble.py").read_bytes()
    harm(release)
    assert install_target(RELEASE, cache=cache) == release
    assert (release / "pebble.py").read_bytes() == whole
    assert find_harm(release) == ""
    assert not list(cache.glob("releases/*.part"))


def test_a_whole_release_is_left_alone(
    release: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What Python and users add is no harm, and compiled files come and go.
    (release / "notes.txt").write_text("mine")
    shutil.rmtree(release / "__pycache__", ignore_errors=True)
    monkeypatch.setattr(sys, "executable", "/not/python")
    assert install_target(RELEASE, cache=cache) == release
    assert (release / "notes.txt").read_text() == "mine"


def test_a_broken_release_that_cannot_be_made_anew_is_named_and_kept(
    release: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(release)
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(ProvisionError) as caught:
        install_target(RELEASE, cache=cache)
    message = str(caught.value)
    assert message.startswith(f"{release}: broken (pebble.py has 3 bytes of ")
    assert "could not be made anew" in message
    assert "\n" not in message
    assert (release / "pebble.py").stat().st_size == 3


@pytest.mark.parametrize("harm", [lambda file: file.write_bytes(b""), Path.unlink])
def test_a_broken_model_is_written_anew(cache: Path, harm: Harm) -> None:
    def write(folder: Path) -> None:
        (folder / "model.pt").write_bytes(b"weights")

    model = make_folder(cache / "models" / "m", write)
    harm(model / "model.pt")
    assert make_folder(cache / "models" / "m", write) == model
    assert (model / "model.pt").read_bytes() == b"weights"


@pytest.mark.usefixtures("index")
def test_an_interpreter_whose_packages_or_python_are_gone_is_made_anew(cache: Path) -> None:
    python = make_venv("pebbles", ["pebble==1.3.2"], cache=cache)
    folder = python.parents[1]
    assert environments._is_whole_venv(folder, python)
    target = python.readlink()
    python.unlink()
    python.symlink_to("/no/such/python")
    assert not environments._is_whole_venv(folder, python)
    python.unlink()
    python.symlink_to(target)
    (packages,) = folder.glob("lib/python*/site-packages")
    cut(packages)
    assert not environments._is_whole_venv(folder, python)
    assert make_venv("pebbles", ["pebble==1.3.2"], cache=cache) == python
    report = [python, "-c", "import pebble; print(pebble.VERSION)"]
    assert subprocess.check_output(report, text=True) == "1.3.2\n"


def test_a_wheel_that_is_no_funasr_is_refused_by_name(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKBENCH_CACHE", str(cache))
    wheel = build_wheel(tmp_path, "pebble", "1.0.0")
    with pytest.raises(SubjectSpecError, match=r"expected FunASR, .*version\.txt"):
        resolution.resolve(f"funasr@{wheel}", model="embedded", chunk_ms=600, generate={})
