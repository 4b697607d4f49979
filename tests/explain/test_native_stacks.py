"""Native growth named: by memray in a real worker, and on literal stretches."""

from pathlib import Path

import pytest

from leakbench.explain.census import Driven
from leakbench.explain.native_stacks import Left, Stack, find_native
from leakbench.explain.places import Line
from leakbench.record.explanation import CodeLine, NativeGrowth
from tests.explain.workers import explain_alone

SUBJECTS = Path(__file__).parent / "calling_subjects.py"
CREATE = CodeLine(function="Vad_Create", file="", line=0)
ENTRY = CodeLine(function="vad_create", file="", line=0)
OWN: Line = ("/project/stream.py", 30)
DRIVER: Line = (str(Path(__file__).parents[2] / "leakbench" / "worker" / "driver.py"), 60)
STACK = Stack((CREATE, ENTRY), (OWN, DRIVER))
STRETCHES = (
    Driven(chunks=100, segments=10, streams=5),
    Driven(chunks=200, segments=20, streams=10),
)


def find(first: int, second: int, nbytes: int = 800, **more: object) -> tuple[NativeGrowth, ...]:
    stack = more.get("stack", STACK)
    assert isinstance(stack, Stack)
    return find_native(
        {stack: Left(allocations=first, nbytes=first * nbytes)} if first else {},
        {stack: Left(allocations=second, nbytes=second * nbytes)},
        driven=STRETCHES,
        hours=(1.0, 2.0),
        told=more.get("told", {}),  # type: ignore[arg-type]
    )


@pytest.fixture
def memray() -> None:
    pytest.importorskip("memray", reason="needs the native extra: pip install 'leakbench[native]'")


@pytest.mark.usefixtures("memray")
def test_a_function_of_c_that_leaks_is_named_with_the_line_that_called_it(tmp_path: Path) -> None:
    leaking = {"heap_bytes": 6000 * 2016.0}
    (growth,) = explain_alone(tmp_path, f"{SUBJECTS}:Native", leaking).native
    assert "strdup" in growth.frames[0].function
    assert growth.line is not None
    assert growth.line.source == 'C.strdup(b"x" * 1999)'
    assert (growth.amount, growth.per) == (2000, "chunk")
    assert growth.bytes_per_hour == pytest.approx(6000 * 2000, rel=1e-3)


@pytest.mark.usefixtures("memray")
def test_what_memray_cannot_see_has_its_line_all_the_same(tmp_path: Path) -> None:
    leaking = {"heap_bytes": 6000 * 2016.0}
    (growth,) = explain_alone(tmp_path, f"{SUBJECTS}:NativeByAddress", leaking).native
    assert growth.frames == ()
    assert growth.line is not None
    assert growth.line.source == "C.malloc(2000)"
    # Once in a hundred chunks something else takes or leaves sixteen bytes.
    assert (growth.amount, growth.per) == (pytest.approx(2016, abs=1), "chunk")


def test_what_is_left_twice_as_often_by_a_stretch_twice_as_long_grows() -> None:
    (growth,) = find(5, 10)
    assert (growth.amount, growth.per, growth.bytes_per_hour) == (800, "stream", 4000)
    assert [frame.function for frame in growth.frames] == ["Vad_Create", "vad_create"]
    assert growth.line is not None
    assert (growth.line.file, growth.line.line) == OWN


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 4), (0, 1), (0, 500)])
def test_what_is_kept_or_allocated_once_does_not_grow(first: int, second: int) -> None:
    assert find(first, second) == ()


def test_what_is_kept_beside_what_grows_is_not_counted_with_it() -> None:
    (growth,) = find(101, 201)
    assert (growth.amount, growth.per) == (800, "chunk")


def test_what_the_harness_allocates_is_left_out() -> None:
    assert find(5, 10, stack=Stack((CREATE,), (DRIVER,))) == ()


def test_a_thread_of_c_has_no_line() -> None:
    (growth,) = find(5, 10, stack=Stack((CREATE,), ()))
    assert growth.line is None


@pytest.mark.parametrize(("told", "is_news"), [(4000.0, False), (1400.0, False), (1000.0, True)])
def test_memory_that_objects_explain_is_no_news(told: float, is_news: bool) -> None:
    assert bool(find(5, 10, told={OWN: told})) is is_news
