"""What can be patched, what is refused in one line, and that others are left alone."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from leakbench import fixes
from leakbench.errors import ConfigError, SubjectSpecError, UsageError
from tests.fixes.conftest import FOUR
from tests.fixes.test_capacity import options


def make_model(monkeypatch, version: str, *, schedule=None, fixed: bool = False):
    """Return an object that looks like the VAD of a FunASR release."""
    package = ModuleType("funasr")
    package.__version__ = version
    module = ModuleType("funasr.models.fsmn_vad_streaming.model")
    if schedule is not None:
        module.DEFAULT_SILENCE_SCHEDULE = schedule
    monkeypatch.setitem(sys.modules, "funasr", package)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    methods = {"forward": lambda self: "the release's", "__module__": module.__name__}
    if fixed:
        methods["DropCachedFrames"] = lambda self: None
    model = type("FsmnVADStreaming", (), methods)()
    model.vad_opts = options()
    return model


@pytest.fixture
def model(monkeypatch):
    return make_model(monkeypatch, "1.3.14")


def test_the_fixes_have_these_names():
    assert (*FOUR, "upstream+segments") == fixes.FIXES
    assert set(fixes.__all__) == {"FIXES", "apply", "remove", "required_frames"}


@pytest.mark.parametrize("name", FOUR)
def test_only_the_model_given_is_patched_and_removing_restores_it(model, name):
    other = type(model)()
    cls, attributes = type(model), dict(vars(model))
    fixes.apply(model, name)
    assert isinstance(model, cls)
    assert type(model) is not cls
    assert type(other) is cls
    assert other.forward() == "the release's"
    fixes.remove(model)
    assert type(model) is cls
    assert vars(model) == attributes


def test_the_vad_inside_an_auto_model_is_found(model):
    for auto_model in (
        SimpleNamespace(model=model, vad_model=None),
        SimpleNamespace(model=object(), vad_model=model),
    ):
        fixes.apply(auto_model, "ring-buffer")
        with pytest.raises(SubjectSpecError, match="has a fix already"):
            fixes.apply(model, "ring-buffer")
        fixes.remove(auto_model)


def test_a_fix_applied_twice_is_refused(model):
    fixes.apply(model, "ring-buffer")
    with pytest.raises(SubjectSpecError, match="a fix already, ring-buffer; remove it first"):
        fixes.apply(model, "sliding-window")


def test_removing_what_was_not_applied_is_refused(model):
    with pytest.raises(SubjectSpecError, match="no fix to remove from this FsmnVADStreaming"):
        fixes.remove(model)


@pytest.mark.parametrize(
    ("version", "fixed", "name", "message"),
    [
        ("1.1.11", False, "ring-buffer", r"1\.1\.12 to 1\.3\.14, this model is of 1\.1\.11$"),
        ("1.3.15", True, "ring-buffer", r"this model is of 1\.3\.15; use upstream\+segments"),
        ("1.4.16", True, "memory-pool", r"this model is of 1\.4\.16; use upstream\+segments"),
        ("1.3.14", False, "upstream+segments", r"1\.3\.15 and later, this model is of 1\.3\.14"),
        # A checkout can carry the fix before its version says so.
        ("1.3.14", True, "ring-buffer", r"is for funasr 1\.1\.12 to 1\.3\.14"),
    ],
)
def test_a_release_that_a_fix_is_not_for_is_refused(monkeypatch, version, fixed, name, message):
    model = make_model(monkeypatch, version, fixed=fixed)
    with pytest.raises(SubjectSpecError, match=message):
        fixes.apply(model, name)


@pytest.mark.parametrize("version", ["1.1.12", "1.2.7", "1.3.14"])
def test_every_release_it_is_for_is_accepted(monkeypatch, version):
    model = make_model(monkeypatch, version)
    fixes.apply(model, "ring-buffer")
    fixes.remove(model)


def test_what_is_no_vad_is_refused(model):
    for thing in (None, object(), SimpleNamespace(model=object())):
        with pytest.raises(SubjectSpecError, match="expected FunASR's AutoModel"):
            fixes.apply(thing, "ring-buffer")


def test_a_name_or_option_that_is_none_is_refused(model):
    with pytest.raises(SubjectSpecError, match=r"fix must be one of ring-buffer.*got 'ring'"):
        fixes.apply(model, "ring")
    with pytest.raises(ConfigError, match="got 'every'"):
        fixes.apply(model, "ring-buffer", every=3)
    assert issubclass(SubjectSpecError, UsageError)


def test_upstream_takes_no_options(monkeypatch):
    model = make_model(monkeypatch, "1.4.16", fixed=True)
    with pytest.raises(ConfigError, match="takes no options; got capacity"):
        fixes.apply(model, "upstream+segments", capacity=99)
    fixes.apply(model, "upstream+segments")


def test_a_capacity_below_the_configured_end_silence_is_refused(model):
    with pytest.raises(ConfigError, match="at least 66 frames"):
        fixes.apply(model, "ring-buffer", capacity=65)
    fixes.apply(model, "ring-buffer", capacity=66)


def test_a_release_with_a_silence_schedule_needs_capacity_for_its_longest(monkeypatch):
    model = make_model(monkeypatch, "1.3.14", schedule=[(10000, 2000), (float("inf"), 100)])
    with pytest.raises(ConfigError, match="at least 186 frames"):
        fixes.apply(model, "ring-buffer", capacity=185)
