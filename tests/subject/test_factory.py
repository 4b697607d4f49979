"""A class or function of the caller's, found again by a worker."""

import importlib.util
import sys
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leakbench.controls import leaky
from leakbench.controls.energy_vad import EnergyVad
from leakbench.errors import SubjectSpecError
from leakbench.subject.factory import locate_factory


class HereVad(EnergyVad):
    pass


def test_what_is_in_a_package_is_named_by_its_module() -> None:
    found = locate_factory(leaky)
    assert found.factory == found.spec == "leakbench.controls:leaky"
    assert found.python == sys.executable
    assert Path(__file__).parents[2] in found.path


def test_what_is_in_a_lone_file_is_named_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lone.py"
    file.write_text("class Vad: pass\n")
    vad = load("some.name.nobody.knows", file, monkeypatch).Vad
    monkeypatch.chdir(tmp_path)
    found = locate_factory(vad)
    assert found.factory == f"{file}:Vad"
    assert found.spec == "lone.py:Vad"
    assert found.path[0] == tmp_path


def test_what_imports_here_imports_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "path", ["", "/no/such/folder", *sys.path])
    path = locate_factory(HereVad).path
    assert {tmp_path, Path.cwd()} <= set(path)
    assert Path("/no/such/folder") not in path


@pytest.mark.parametrize(
    ("factory", "says"),
    [
        (EnergyVad(), "got EnergyVad"),
        (partial(EnergyVad), "got partial"),
        (lambda: EnergyVad(), "top of a module"),
        (EnergyVad.start, "top of a module"),
        (3, "got int 3"),
    ],
)
def test_what_a_worker_could_not_find_is_refused(factory: Any, says: str) -> None:
    with pytest.raises(SubjectSpecError, match=says):
        locate_factory(factory)


def load(name: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module
