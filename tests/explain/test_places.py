"""Which line of a stack is named: the innermost of the subject's own code, then what it called."""

import sysconfig
from pathlib import Path

import numpy as np
import pytest

import leakbench
from leakbench.explain.places import Line, is_final, place_of

OWN = ("/home/me/project/stream.py", 30)
OWN_CALLER = ("/home/me/project/serve.py", 12)
NUMPY = (str(Path(np.__file__).parent / "_core" / "_methods.py"), 132)
TORCH = ("/venv/lib/python3.11/site-packages/torch/nn/modules/rnn.py", 1139)
MODEL = ("/venv/lib/python3.11/site-packages/vendor_vad/model.py", 485)
MODEL_ENTRY = ("/venv/lib/python3.11/site-packages/vendor_vad/auto.py", 90)
STANDARD = (str(Path(sysconfig.get_path("stdlib"), "queue.py")), 140)
PACKAGE = Path(leakbench.__file__).parent
WRAPPER = (str(PACKAGE / "funasr" / "subject.py"), 80)
CONTROL = (str(PACKAGE / "controls" / "retention.py"), 50)
DRIVER = (str(PACKAGE / "worker" / "driver.py"), 60)
HOOK = (str(PACKAGE / "explain" / "ledger.py"), 100)
GENERATED = ("<string>", 2)


@pytest.mark.parametrize(
    ("stack", "place"),
    [
        # A line of the user, by itself, under another one, and with a library below it.
        ([OWN, DRIVER], (OWN,)),
        ([OWN, OWN_CALLER, DRIVER], (OWN,)),
        ([NUMPY, OWN, OWN_CALLER, DRIVER], (OWN, NUMPY)),
        ([STANDARD, GENERATED, NUMPY, OWN, DRIVER], (OWN, NUMPY, STANDARD)),
        # A library that is the model, under a wrapper of the user: the wrapper's line.
        ([TORCH, MODEL, MODEL_ENTRY, OWN, DRIVER], (OWN, MODEL_ENTRY, MODEL, TORCH)),
        # A line of the user that a library calls back.
        ([NUMPY, OWN, MODEL, OWN_CALLER, DRIVER], (OWN, NUMPY)),
        # A library that is the model, under leakbench's own wrapper: the model's line.
        ([TORCH, MODEL, MODEL_ENTRY, WRAPPER, DRIVER], (MODEL, TORCH)),
        ([MODEL, TORCH, MODEL_ENTRY, WRAPPER, DRIVER], (MODEL,)),
        ([STANDARD, WRAPPER, DRIVER], (STANDARD,)),
        # leakbench itself, where it calls nothing: a control.
        ([CONTROL, DRIVER], (CONTROL,)),
        ([CONTROL, MODEL, WRAPPER, DRIVER], (CONTROL,)),
        # The harness's own, innermost or all there is.
        ([HOOK, HOOK, OWN, DRIVER], (OWN,)),
        ([HOOK, DRIVER], ()),
        ([], ()),
    ],
)
def test_the_line_of_the_subject_is_named_first(stack: list[Line], place: tuple[Line, ...]) -> None:
    assert place_of(stack) == place


def test_of_a_deep_stack_the_line_itself_and_the_innermost_are_kept() -> None:
    deep = [(TORCH[0], number) for number in range(40)]
    named = place_of([*deep, OWN])
    assert named[0] == OWN
    assert named[-1] == deep[0]
    assert len(named) == 8


@pytest.mark.parametrize(
    ("line", "final"),
    [(OWN, True), (CONTROL, True), (NUMPY, False), (STANDARD, False), (MODEL, False)],
)
def test_only_a_line_of_a_library_needs_its_caller(line: Line, final: bool) -> None:
    assert is_final(line[0]) is final
