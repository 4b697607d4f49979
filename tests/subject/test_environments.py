"""Provisioning, on wheels of a few hundred bytes and with no index but a local folder."""

import base64
import hashlib
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from leakbench.errors import ProvisionError
from leakbench.subject import environments
from leakbench.subject.environments import install_target, make_folder, make_venv


def build_wheel(folder: Path, name: str, version: str, content: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    content = content or f"VERSION = {version!r}\n"
    digest = hashlib.sha256(content.encode()).digest()
    record = f"{name}.py,sha256={base64.urlsafe_b64encode(digest).decode().rstrip('=')},"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", content)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{record}{len(content)}\n")
    return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip takes for all there is."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for version in ("1.0.0", "1.1.0", "1.3.2", "1.10.0"):
        build_wheel(folder, "pebble", version)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index on a port where nothing listens."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "1")


def made_in(cache: Path) -> list[str]:
    """Everything in the cache but locks and logs."""
    return sorted(p.name for p in cache.glob("*/*") if p.suffix not in {".lock", ".log"})


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKBENCH_CACHE", "/somewhere")
    assert environments.cache_folder() == Path("/somewhere")
    monkeypatch.delenv("LEAKBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert environments.cache_folder() == Path("/elsewhere/leakbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert environments.cache_folder() == Path.home() / ".cache" / "leakbench"


@pytest.mark.usefixtures("index")
def test_a_release_is_installed_alone_under_its_name(cache: Path) -> None:
    folder = install_target("pebble==1.1.0", cache=cache)
    assert folder.name == f"pebble==1.1.0-{sys.implementation.cache_tag}"
    assert "1.1.0" in (folder / "pebble.py").read_text()
    assert made_in(cache) == [folder.name]


@pytest.mark.usefixtures("index")
def test_what_is_cached_needs_no_pip(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install_target("pebble==1.1.0", cache=cache)
    python = make_venv("pebbles", ["pebble==1.0.0"], cache=cache)
    monkeypatch.setattr(sys, "executable", "/not/python")
    assert install_target("pebble==1.1.0", cache=cache) == folder
    assert make_venv("pebbles", ["pebble==1.0.0"], cache=cache) == python


@pytest.mark.usefixtures("index")
def test_a_release_that_does_not_exist_is_told_with_the_nearest(cache: Path) -> None:
    with pytest.raises(ProvisionError) as caught:
        install_target("pebble==1.2.7", cache=cache)
    message = str(caught.value)
    assert message.startswith(
        "pebble==1.2.7: there is no release pebble==1.2.7; "
        "the nearest are 1.0.0, 1.1.0, 1.3.2, 1.10.0;"
    )
    assert "\n" not in message
    log = Path(message.rpartition(" is in ")[2])
    assert "Could not find a version" in log.read_text()
    assert made_in(cache) == []


@pytest.mark.usefixtures("index")
def test_a_project_that_does_not_exist_is_not_taken_for_a_dead_network(cache: Path) -> None:
    with pytest.raises(ProvisionError, match=r"the package index has no boulder==1\.0"):
        install_target("boulder==1.0", cache=cache)


@pytest.mark.usefixtures("no_network")
def test_no_network_is_said_to_be_that_and_leaves_nothing(cache: Path) -> None:
    with pytest.raises(ProvisionError, match=r"^pebble==1.0: no package index could be reached"):
        install_target("pebble==1.0", cache=cache)
    with pytest.raises(ProvisionError, match=r"^pebbles: no package index could be reached"):
        make_venv("pebbles", ["pebble==1.0"], cache=cache)
    assert made_in(cache) == []


@pytest.mark.usefixtures("index")
def test_a_python_without_pip_is_said_to_be_that(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    with pytest.raises(ProvisionError, match=r"has no pip; install it with .* -m ensurepip"):
        install_target("pebble==1.0.0", cache=cache)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    # A file where a folder should be fails for root too, unlike permissions.
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ProvisionError, match=r"file/releases: cannot be written: .*LEAKBENCH_CACHE"
    ):
        install_target("pebble==1.0.0", cache=tmp_path / "file")


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "ERROR: Could not install: [Errno 28] No space left on device",
            "could not be written",
        ),
        ("ERROR: Invalid requirement: 'pebble=1'", "expected NAME==VERSION"),
        ("/usr/bin/python3: No module named venv", "no venv module"),
        ("ERROR: something unheard of\n", "something unheard of"),
        ("", "said nothing"),
    ],
)
def test_other_failures_of_pip_are_one_line(output: str, reason: str) -> None:
    explained = environments._explain(output)
    assert reason in explained
    assert "\n" not in explained


def test_a_wheel_is_told_from_another_of_its_name_by_content(cache: Path, tmp_path: Path) -> None:
    first = install_target(str(build_wheel(tmp_path, "pebble", "1.0.0", "A = 1\n")), cache=cache)
    second = install_target(str(build_wheel(tmp_path, "pebble", "1.0.0", "A = 2\n")), cache=cache)
    assert (first / "pebble.py").read_text() == "A = 1\n"
    assert (second / "pebble.py").read_text() == "A = 2\n"


def test_a_folder_wanted_by_many_at_once_is_made_once(cache: Path) -> None:
    made = []

    def build(scratch: Path) -> None:
        made.append(scratch)
        time.sleep(0.05)
        (scratch / "whole").write_text("")

    def ask() -> None:
        assert (make_folder(cache / "a" / "b", build) / "whole").is_file()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_lock_that_is_a_link_is_refused_and_not_followed(cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("everything")
    folder = cache / "releases" / "pebble"
    folder.parent.mkdir(parents=True)
    folder.with_name("pebble.lock").symlink_to(precious)
    with pytest.raises(ProvisionError, match="expected a lock file, got a link; remove it"):
        environments.make_folder(folder, lambda scratch: None)
    assert precious.read_text() == "everything"


def test_a_log_that_is_a_link_is_replaced_and_not_followed(cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("everything")
    log = cache / "logs" / "pip.log"
    log.parent.mkdir(parents=True)
    log.symlink_to(precious)
    environments.run_pip(["--version"], what="pip", log=log)
    assert precious.read_text() == "everything"
    assert log.read_text().startswith("pip ")


def test_files_of_the_callers_folder_stand_in_for_nothing_of_pips(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("token", "random", "json", "platform", "types"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name}.py was run')\n")
    monkeypatch.chdir(tmp_path)
    assert environments.make_venv("empty", ["--help"], cache=cache).is_file()


def test_a_folder_left_half_made_by_a_killed_run_is_made_again(cache: Path) -> None:
    half = cache / "a" / "b.part"
    half.mkdir(parents=True)
    (half / "stale").write_text("")
    folder = make_folder(cache / "a" / "b", lambda scratch: (scratch / "fresh").touch())
    assert sorted(p.name for p in folder.iterdir()) == ["RECORD", "fresh"]
    assert not half.exists()


def test_a_build_that_is_interrupted_leaves_nothing(cache: Path) -> None:
    def build(scratch: Path) -> None:
        (scratch / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_folder(cache / "a" / "b", build)
    assert [p.name for p in (cache / "a").iterdir()] == ["b.lock"]


@pytest.mark.usefixtures("index")
def test_a_venv_holds_what_it_was_asked_for_and_is_made_again_when_incomplete(cache: Path) -> None:
    python = make_venv("pebbles", ["pebble==1.3.2"], cache=cache)
    report = [python, "-c", "import pebble; print(pebble.VERSION)"]
    assert subprocess.check_output(report, text=True) == "1.3.2\n"
    (python.parents[1] / "complete").unlink()
    (python.parents[1] / "stale").touch()
    assert make_venv("pebbles", ["pebble==1.3.2"], cache=cache) == python
    assert not (python.parents[1] / "stale").exists()
    assert make_venv("pebbles", ["pebble==1.0.0"], cache=cache) != python
