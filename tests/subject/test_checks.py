"""The mistakes that people make in a subject are told by what is wrong, not by where it hurts."""

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from leakbench.errors import SubjectError, UsageError
from leakbench.subject.checks import check_roots, check_sample_rate


class WithItems:
    """Like torch's ModuleDict: items, and no Mapping."""

    def __init__(self) -> None:
        self.held = {"cache": [1]}

    def __iter__(self) -> Any:
        return iter(self.held)

    def items(self) -> Any:
        return self.held.items()


@pytest.mark.parametrize(
    "roots",
    [{}, {"cache": []}, OrderedDict(cache=1), MappingProxyType({"流": None}), WithItems()],
    ids=lambda roots: type(roots).__name__,
)
def test_objects_by_name_are_roots(roots: Any) -> None:
    assert check_roots(roots) is roots


@pytest.mark.parametrize(
    ("roots", "got"),
    [
        (None, "got None"),
        ([1, 2], "got list [1, 2]"),
        ("cache", "got str 'cache'"),
        ({("a", 1): []}, "got tuple ('a', 1)"),
        ({1: []}, "got int 1"),
        ({None: []}, "got None"),
        ({"": []}, "got str ''"),
        ("x" * 10_000, "got str 'xxx"),
        ([[0] * 10_000] * 10_000, "got list [[0, 0"),
    ],
)
def test_anything_else_is_refused_with_what_it_is_and_what_to_return(roots: Any, got: str) -> None:
    with pytest.raises(SubjectError, match=r"^roots\(\) must ") as error:
        check_roots(roots)
    said = str(error.value)
    assert got in said
    assert said.endswith("; return what to measure by name, such as {'cache': self.cache}")
    assert len(said) < 250


@pytest.mark.parametrize("rate", [8000, 16000, 192_000])
def test_a_rate_of_audio_is_one(rate: int) -> None:
    check_sample_rate("vad.py:Vad", rate)


@pytest.mark.parametrize(
    ("rate", "got"),
    [
        (None, "got None"),
        ("16k", "got str '16k'"),
        (0, "got int 0"),
        (-16000, "got int -16000"),
        (16, "got int 16"),
        (16_000_000, "got int 16000000"),
        (16000.0, "got float 16000.0"),
        (float("nan"), "got float nan"),
        (True, "got bool True"),
        (np.int64(16000), "got int64 "),
    ],
)
def test_what_is_no_rate_is_refused_with_the_subject_and_what_to_write(
    rate: object, got: str
) -> None:
    with pytest.raises(UsageError) as error:
        check_sample_rate("vad.py:Vad", rate)
    said = str(error.value)
    assert said.startswith("vad.py:Vad: sample_rate must be a whole number of Hz from 1,000 to")
    assert got in said
    assert said.endswith("such as sample_rate = 16000")
