"""Environments for subjects: releases side by side in folders, and interpreters of their own.

Everything is made once, below one cache folder (``$LEAKBENCH_CACHE``, else the user's cache)::

    releases/NAME==VERSION-cpython-311/   one distribution, without its dependencies
    venvs/NAME-HASH/                      an interpreter with the packages it was asked for
    logs/*.log                            what pip said

What is whole in the cache is used as it is, with no network and without pip. What is not there,
or no longer whole, is made under a file lock, so that runs side by side make it once, and appears
under its name only when it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from leakbench.errors import ProvisionError
from leakbench.subject.wholeness import find_harm, write_record

CACHE_VARIABLE: Final = "LEAKBENCH_CACHE"
"""Environment variable that names the cache folder."""
_COMPLETE: Final = "complete"
"""File that marks an interpreter's folder as whole: unlike a release's, it cannot be renamed
into place, since its scripts hold their own address."""

# What pip prints where a connection could not be made or a name not be found.
_UNREACHABLE: Final = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionResetError|ProxyError|SSLError"
    r"|Failed to establish|Name or service not known|name resolution|Network is unreachable"
    r"|Could not fetch URL"
)
_UNWRITABLE: Final = re.compile(
    r"No space left on device|Permission denied|Read-only file system|Disk quota exceeded"
)
_NO_VERSION: Final = re.compile(
    r"Could not find a version that satisfies the requirement (\S+) \(from versions: (.*?)\)",
    re.DOTALL,
)
_NEAREST: Final = 2
"""Releases to name on each side of one that does not exist."""


def cache_folder() -> Path:
    """Return the folder everything is cached in; it need not exist yet."""
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "leakbench"


def install_target(requirement: str, *, cache: Path | None = None) -> Path:
    """Return a folder that holds `requirement` alone, to be put first on an import path.

    Parameters
    ----------
    requirement
        ``name==version``, or the path of a wheel or source archive, which is told from
        others of its name by its content.
    cache
        Cache folder; `cache_folder` where None.

    Raises
    ------
    ProvisionError
        When the release does not exist, no index can be reached, pip is missing, or the
        cache cannot be written.
    """
    name = re.sub(r"[^\w.=+-]", "_", _identity(requirement))
    cache = cache or cache_folder()
    folder = cache / "releases" / f"{name}-{sys.implementation.cache_tag}"

    def install(scratch: Path) -> None:
        arguments = ["install", "--no-deps", "--target", str(scratch), requirement]
        run_pip(arguments, what=requirement, log=cache / "logs" / f"{folder.name}.log")

    return make_folder(folder, install)


def make_folder(folder: Path, build: Callable[[Path], None]) -> Path:
    """Return `folder`, made by `build` in a scratch folder beside it where it is not whole.

    Raises
    ------
    ProvisionError
        When the parent cannot be written; and what `build` raises.
    """
    if _harm_of_folder(folder) == "":
        return folder
    scratch = folder.with_name(folder.name + ".part")
    with _locked(folder):
        harm = _harm_of_folder(folder)
        if harm == "":
            return folder
        try:
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            build(scratch)
            write_record(scratch)
            if harm is not None:
                _remove(folder)
            scratch.rename(folder)
        except OSError as error:
            raise _unwritable(folder.parent, error) from error
        except ProvisionError as error:
            if harm is None:
                raise
            raise ProvisionError(
                f"{folder}: broken ({harm}), and it could not be made anew: {error}"
            ) from error
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _harm_of_folder(folder: Path) -> str | None:
    """Return what is wrong with a folder of the cache, empty for nothing; None where none is."""
    if not os.path.lexists(folder):
        return None
    return find_harm(folder) if folder.is_dir() else "it is no folder"


def _remove(path: Path) -> None:
    """Remove a folder of the cache, or whatever has taken its place; a link is not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def make_venv(name: str, requirements: Sequence[str], *, cache: Path | None = None) -> Path:
    """Return the interpreter of a virtual environment that holds `requirements`.

    The environment has no pip of its own: the running interpreter's installs into it.

    Parameters
    ----------
    name
        First part of the folder's name; the rest is a hash of `requirements` and Python.
    requirements
        Passed to one ``pip install``, with their dependencies; options are allowed.
    cache
        Cache folder; `cache_folder` where None.

    Raises
    ------
    ProvisionError
        As for `install_target`, or when this Python cannot make virtual environments.
    """
    cache = cache or cache_folder()
    recipe = "\n".join([sys.version, sys.base_prefix, *requirements])
    folder = cache / "venvs" / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if _is_whole_venv(folder, python):
        return python
    with _locked(folder):
        if _is_whole_venv(folder, python):
            return python
        log = cache / "logs" / f"{folder.name}.log"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            _run(
                [sys.executable, "-P", "-m", "venv", "--without-pip", str(folder)],
                what=name,
                log=log,
            )
            arguments = ["--python", str(python), "install", *requirements]
            run_pip(arguments, what=name, log=log)
            (folder / _COMPLETE).write_text(recipe + "\n", encoding="utf-8")
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise _unwritable(folder.parent, error) from error
            raise
    return python


def _is_whole_venv(folder: Path, python: Path) -> bool:
    """Whether an interpreter's folder has all that was installed, by the sizes of its files.

    The interpreter itself is a link, which points nowhere once the one it was made from is gone.
    """
    if not (folder / _COMPLETE).is_file() or not os.access(python, os.X_OK):
        return False
    packages = next(folder.glob("lib/python*/site-packages"), None)
    return packages is not None and not find_harm(packages, hashed_at_most=-1)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`; a process that dies lets go of it."""
    lock = folder.with_name(folder.name + ".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        # Others may write in a shared cache: what a link points at is not ours to open.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.fdopen(os.open(lock, flags, 0o666), "r+b")
    except OSError as error:
        if lock.is_symlink():
            raise ProvisionError(
                f"{lock}: expected a lock file, got a link; remove it, or set {CACHE_VARIABLE} to "
                "another folder"
            ) from error
        raise _unwritable(folder.parent, error) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _identity(requirement: str) -> str:
    path = Path(requirement)
    if not path.is_file():
        return requirement
    return f"{path.name}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def run_pip(arguments: Sequence[str], *, what: str, log: Path) -> str:
    """Run the running interpreter's pip and return what it printed.

    Parameters
    ----------
    arguments
        Of pip; the user's configuration applies.
    what
        Names the undertaking in errors.
    log
        File that keeps what pip printed.

    Raises
    ------
    ProvisionError
        When pip is missing or fails, with the reason in one line.
    """
    quiet = ["--disable-pip-version-check", "--no-input"]
    return _run([sys.executable, "-P", "-m", "pip", *quiet, *arguments], what=what, log=log)


def _run(command: Sequence[str], *, what: str, log: Path) -> str:
    """Run `command`, its output kept in `log`; explain a failure in one line."""
    # A user-wide `user = true` cannot be combined with a folder or an environment of our own.
    environment = {**os.environ, "PIP_USER": "0"}
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    # A link in its place is replaced, not followed.
    log.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(log, flags, 0o666), "w", encoding="utf-8") as file:
        file.write(done.stdout)
    if done.returncode != 0:
        raise ProvisionError(f"{what}: {_explain(done.stdout)}; pip's output is in {log}")
    return done.stdout


def _explain(output: str) -> str:
    """Return in one line why pip failed, from what it printed."""
    if "No module named pip" in output:
        return f"{sys.executable} has no pip; install it with `{sys.executable} -m ensurepip`"
    if "No module named venv" in output:
        return f"{sys.executable} has no venv module; install your system's package for it"
    if match := _NO_VERSION.search(output):
        wanted, listed = match.groups()
        if listed not in ("none", ""):
            nearest = ", ".join(_nearest(wanted, listed.split(", ")))
            return f"there is no release {wanted}; the nearest are {nearest}"
    if _UNREACHABLE.search(output):
        return "no package index could be reached; check the network and pip's configuration"
    if match:
        return f"the package index has no {match[1]}, or none for this Python"
    if match := _UNWRITABLE.search(output):
        return f"the cache could not be written ({match[0]}); {CACHE_VARIABLE} names another"
    if "No matching distribution found" in output:
        return "the package index has no such project, or no release of it for this Python"
    if "Invalid requirement" in output:
        return "not a requirement; expected NAME==VERSION"
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()] or lines
    return errors[-1].strip() if errors else "pip failed and said nothing"


def _nearest(wanted: str, versions: Sequence[str]) -> Sequence[str]:
    """Return the few of `versions` (ascending, as pip lists them) around the one asked for."""
    order = [_numbers(version) for version in versions]
    place = bisect(order, _numbers(wanted.partition("==")[2]))
    return versions[max(0, place - _NEAREST) : place + _NEAREST]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _unwritable(folder: Path, error: OSError) -> ProvisionError:
    return ProvisionError(
        f"{folder}: cannot be written: {error.strerror or error}; "
        f"set {CACHE_VARIABLE} to a folder that can"
    )
