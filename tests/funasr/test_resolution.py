"""Specs, right and wrong; nothing is installed here."""

import sys
import zipfile
from pathlib import Path

import pytest

from leakbench import fixes
from leakbench.errors import LeakbenchError, ProvisionError, SubjectSpecError, UsageError
from leakbench.fixes import application
from leakbench.funasr import onnx_environment, resolution
from leakbench.subject import ResolvedSubject


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked to be installed; each release is a folder with nothing but its version."""
    asked: list[str] = []

    def install(requirement: str) -> Path:
        asked.append(requirement)
        return checkout(tmp_path / f"release-{len(asked)}", requirement.partition("==")[2] or "0")

    monkeypatch.setattr(resolution, "install_target", install)
    return asked


def checkout(folder: Path, version: str) -> Path:
    (folder / "funasr").mkdir(parents=True)
    (folder / "funasr" / "version.txt").write_text(f"{version}\n")
    return folder


def resolve(spec: str, model: str = "embedded") -> ResolvedSubject:
    return resolution.resolve(spec, model=model, chunk_ms=600, generate={"a": 1})


def test_a_release_is_installed_and_put_first_on_the_path(installed: list[str]) -> None:
    subject = resolve("funasr==1.2.7")
    assert installed == ["funasr==1.2.7"]
    assert subject.python == sys.executable
    assert (subject.path[0] / "funasr" / "version.txt").is_file()
    assert subject.versions["funasr"] == "1.2.7"
    assert {"torch", "numpy", "kaldi-native-fbank"} < subject.versions.keys()
    assert subject.options == {
        "model": "embedded",
        "chunk_ms": 600,
        "generate": {"a": 1},
        "fix": None,
    }


@pytest.mark.parametrize(("alias", "spec"), resolution.aliases().items())
def test_an_alias_is_the_release_it_stands_for(alias: str, spec: str, installed: list[str]) -> None:
    assert resolve(alias).spec == alias
    assert installed == [spec]


@pytest.mark.parametrize("fix", fixes.FIXES)
@pytest.mark.parametrize("base", ["fixed", "funasr==1.3.15"])
def test_a_fix_is_told_from_its_base(base: str, fix: str, installed: list[str]) -> None:
    subject = resolve(f"{base}+{fix}")
    assert installed == ["funasr==1.3.15"]
    assert subject.options["fix"] == fix
    assert subject.spec == f"{base}+{fix}"


def test_a_checkout_is_put_on_the_path_itself(tmp_path: Path, installed: list[str]) -> None:
    folder = checkout(tmp_path / "fun+asr", "9.9.dev0")
    subject = resolve(f"funasr@{folder}")
    assert subject.path == (folder,)
    assert subject.versions["funasr"] == "9.9.dev0"
    assert resolve(f"funasr@{folder}+memory-pool").options["fix"] == "memory-pool"
    assert installed == []


def test_a_wheel_is_installed(tmp_path: Path, installed: list[str]) -> None:
    wheel = tmp_path / "funasr-1.0-py3-none-any.whl"
    zipfile.ZipFile(wheel, "w").close()
    resolve(f"funasr@{wheel}")
    assert installed == [str(wheel)]


def test_the_onnx_runtime_has_an_interpreter_and_a_model_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def make(release: str) -> Path:
        asked.append(release)
        return tmp_path / "python"

    monkeypatch.setattr(onnx_environment, "make_interpreter", make)
    monkeypatch.setattr(onnx_environment, "embedded_model", lambda _: tmp_path / "model")
    subject = resolve("funasr-onnx==0.4.3+ring-buffer")
    assert asked == ["0.4.3"]
    assert subject.python == str(tmp_path / "python")
    assert subject.path == ()
    assert subject.options["model"] == str(tmp_path / "model")
    assert subject.options["fix"] == "ring-buffer"
    assert subject.versions["numpy"].startswith("1.26")


@pytest.mark.parametrize(
    ("spec", "claimed"),
    [
        ("original", True),
        ("fixed+ring-buffer", True),
        ("funasr==1.3.14", True),
        ("funasr@./checkout", True),
        ("funasr>=1", True),
        ("funasr", True),
        ("funasr-onnx==0.4.3", True),
        ("fixed.py:NAME", False),
        ("original_vad.py:NAME", False),
        ("funasr/thing.py:NAME", False),
        ("latest:NAME", False),
        ("orginal", False),
    ],
)
def test_specs_are_claimed_by_how_they_are_written(spec: str, claimed: bool) -> None:
    assert resolution.claims(spec) is claimed


STRATEGIES = ("ring-buffer", "sliding-window", "periodic-cleanup", "memory-pool")


@pytest.mark.parametrize(
    ("spec", "versions", "names"),
    [
        ("original", {"funasr": "1.3.14"}, STRATEGIES),
        ("funasr==1.1.12", {"funasr": "1.1.12"}, STRATEGIES),
        ("funasr==1.1.11", {"funasr": "1.1.11"}, ()),
        ("fixed", {"funasr": "1.3.15"}, ("upstream+segments",)),
        ("funasr@../FunASR", {"funasr": "1.4.0.dev1"}, ("upstream+segments",)),
        ("funasr-onnx==0.4.3", {"funasr-onnx": "0.4.3"}, STRATEGIES),
        ("original+ring-buffer", {"funasr": "1.3.14"}, ()),
        ("fixed+upstream+segments", {"funasr": "1.3.15"}, ()),
        ("original", {}, ()),
        ("funasr@.", {"funasr": "unknown"}, ()),
    ],
)
def test_the_fixes_of_a_release_are_those_that_can_patch_it(
    spec: str, versions: dict[str, str], names: tuple[str, ...]
) -> None:
    assert tuple(resolution.remedies(spec, versions)) == names


def test_fixes_are_offered_for_the_releases_they_patch() -> None:
    bounds = (resolution._STRATEGIES_FROM, resolution._STRATEGIES_UP_TO)
    assert bounds == (application._FIRST, application._LAST)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("funasr", "expected funasr==VERSION"),
        ("funasr>=1.3", "expected funasr==VERSION"),
        ("funasr==", "expected funasr==VERSION"),
        ("funasr-onnx", "expected funasr==VERSION, funasr-onnx==VERSION"),
        ("funasr@", "expected funasr==VERSION"),
        ("funasr@/no/such/folder", "/no/such/folder is not there"),
        ("funasr@/", "/ is not one"),
        ("original+nonsense", r"one of ring-buffer, .*; got 'nonsense'"),
        ("funasr==1.3.14+", "got ''"),
    ],
)
def test_a_spec_that_names_nothing_is_refused_in_one_line(spec: str, reason: str) -> None:
    with pytest.raises(SubjectSpecError, match=reason) as caught:
        resolve(spec)
    assert str(caught.value).startswith(f"{spec}: ")
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_is_refused(tmp_path: Path, installed: list[str]) -> None:
    (tmp_path / "config.yaml").write_text("")
    with pytest.raises(UsageError, match=r"config\.yaml, model\.pt; .* has no model\.pt$"):
        resolve("original", model=str(tmp_path))
    with pytest.raises(UsageError, match=r"has no config\.yaml, model\.pt$"):
        resolve("original", model="./nowhere")
    with pytest.raises(UsageError, match=r"has no am\.mvn, model\.onnx$"):
        resolve("funasr-onnx==0.4.3", model=str(tmp_path))
    assert installed == []


def test_a_folder_with_a_model_is_made_absolute(
    tmp_path: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config.yaml", "model.pt"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path.parent)
    assert resolve("original", model=f"./{tmp_path.name}").options["model"] == str(tmp_path)
    assert installed == ["funasr==1.3.14"]


@pytest.mark.parametrize(
    ("missing", "model", "advice"),
    [
        ("modelscope", "fsmn-vad", r"pip install modelscope"),
        ("torch", "embedded", r"FunASR subjects need torch.*pip install 'leakbench\[funasr\]'"),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(
    missing: str, model: str, advice: str, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = resolution.util.find_spec
    monkeypatch.setattr(
        resolution.util, "find_spec", lambda name: None if name == missing else real(name)
    )
    with pytest.raises(ProvisionError, match=advice) as caught:
        resolve("original", model=model)
    assert isinstance(caught.value, LeakbenchError)
    assert installed == []
