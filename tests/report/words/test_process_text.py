"""What the process leaks, in words: which metric, how fast, and who."""

from dataclasses import replace

import pytest

from leakbench.metrics import PROCESS_PATH
from leakbench.record.explanation import CodeLine, Explanation, NativeGrowth, Opened
from leakbench.record.result import CellResult, MetricResult
from leakbench.report.words.leak_text import leading_line, leak_lines, leak_paragraphs
from leakbench.report.words.leaks import CellLeaks, Leak
from leakbench.report.words.phrases import plain_text
from tests.report.explanations import LINE, OWN_LINE, explanation, growth
from tests.report.run_folders import fixed_cell

PIPE = Opened(
    metric="descriptors",
    what="pipe",
    example="",
    amount=2.0,
    per="segment",
    count_per_hour=1200.0,
    openers=(replace(OWN_LINE, share=1.0),),
)
NATIVE = NativeGrowth(
    bytes_per_hour=600_000.0,
    amount=800.0,
    per="stream",
    frames=(
        CodeLine(function="Vad_Create", file="", line=0),
        CodeLine(function="vad_create", file="vad.c", line=12),
    ),
    line=OWN_LINE,
)


def leaking(metric: str, slope: float) -> MetricResult:
    return MetricResult(
        path=PROCESS_PATH,
        metric=metric,
        verdict="leak",
        slope_per_audio_hour=slope,
        low=slope,
        high=slope,
        budget_per_audio_hour=0.0,
    )


def cell(*metrics: MetricResult) -> CellResult:
    return fixed_cell(verdict="leak", as_expected=False, metrics=metrics)


def found(of: CellResult, explained: Explanation) -> CellLeaks:
    return CellLeaks(
        cell=of,
        explanation=explained,
        leaks=tuple(
            Leak(growth=each, since=None, bounded_by=(), not_bounded_by=())
            for each in explained.growths
        ),
        explain_command="",
        bisect_command="",
        remedies_command="",
    )


def texts(of: CellResult, explained: Explanation) -> list[str]:
    paragraphs = leak_paragraphs(found(of, replace(explained, versions={})))
    return [plain_text(paragraph) for paragraph in paragraphs]


def test_what_stays_open_is_told_with_its_metric_its_rate_and_its_line() -> None:
    of = cell(leaking("descriptors", 1200.0))
    explained = explanation(of, opened=(PIPE,))
    assert texts(of, explained) == [
        "The process leaks: descriptors by 1,200 an hour.",
        "`pipe` (descriptors): 2 more a segment, 1,200 an hour. Opened at `app/stream.py:30` in "
        "`Vad.feed`: `self.log.append(samples.mean())`, through `_core/_methods.py:132` (100.0%).",
    ]
    assert leak_lines(found(of, explained)) == [
        "process: descriptors by 1,200 an hour",
        "pipe (descriptors): 2 more a segment, 1,200 an hour; opened at app/stream.py:30 Vad.feed "
        "through _core/_methods.py:132",
    ]


def test_what_no_line_of_python_opened_is_said_to_be_of_c() -> None:
    of = cell(leaking("descriptors", 1200.0))
    (_, text) = texts(of, explanation(of, opened=(replace(PIPE, openers=()),)))
    assert text.endswith("No line of Python was seen to open it.")
    assert leak_lines(found(of, explanation(of, opened=(replace(PIPE, openers=()),))))[1].endswith(
        "; opened unseen"
    )


def test_an_example_and_a_size_are_told_where_there_are_any() -> None:
    of = cell(leaking("temp_files", 600.0))
    file = replace(
        PIPE, metric="temp_files", what="temporary file", example="/tmp/a.wav", bytes_per_hour=6e6
    )
    (_, text) = texts(of, explanation(of, opened=(file,)))
    assert "5.72 MiB an hour, such as `/tmp/a.wav`." in text


def test_a_file_that_only_gets_larger_is_told_by_its_size() -> None:
    of = cell(leaking("temp_bytes", 6e6))
    file = replace(PIPE, metric="temp_files", what="temporary file", amount=0.0, bytes_per_hour=6e6)
    assert (
        "`temporary file` (temporary files): larger by 5.72 MiB an hour."
        in (texts(of, explanation(of, opened=(file,)))[1])
    )


def test_native_growth_names_the_function_of_c_and_the_line_that_called_it() -> None:
    of = cell(leaking("heap_bytes", 6e5))
    explained = explanation(
        of, native=(NATIVE,), native_bytes_per_hour=6e5, heap_bytes_per_hour=6e5
    )
    assert texts(of, explained)[2] == (
        "800 B a stream, 586 KiB an hour, allocated by `Vad_Create`, called by `vad_create` at "
        "`app/stream.py:30` in `Vad.feed`: `self.log.append(samples.mean())`, through "
        "`_core/_methods.py:132`."
    )
    assert leak_lines(found(of, explained))[2] == (
        "native +800 B a stream: Vad_Create at app/stream.py:30 Vad.feed through "
        "_core/_methods.py:132"
    )


@pytest.mark.parametrize(
    ("change", "end"),
    [
        ({"frames": ()}, "an hour, allocated at `app/stream.py:30` in `Vad.feed`"),
        ({"line": None}, "called by `vad_create` in a thread that runs no Python."),
    ],
)
def test_native_growth_is_told_as_far_as_it_is_known(change: dict[str, object], end: str) -> None:
    of = cell(leaking("heap_bytes", 6e5))
    native = replace(NATIVE, **change)  # type: ignore[arg-type]
    assert end in texts(of, explanation(of, native=(native,)))[1]


def test_without_memray_the_way_to_it_is_told() -> None:
    of = cell(leaking("heap_bytes", 6e5))
    explained = explanation(of, native_bytes_per_hour=6e5, no_memray_in="/venv/bin/python")
    assert texts(of, explained)[-1] == (
        "Which function of C allocates it is not known; `pip install 'leakbench[native]'` has the "
        "next run say it, where `/venv/bin/python` can import memray."
    )
    assert leak_lines(found(of, explained))[-1] == (
        "pip install 'leakbench[native]' names the function of C, in /venv/bin/python"
    )


def test_a_chunk_that_costs_ever_more_is_told_with_its_lines() -> None:
    of = cell(leaking("cpu_seconds", 1e-3))
    explained = explanation(of, busy=(replace(LINE, share=0.7),))
    first, second = texts(of, explained)
    assert first == "The process leaks: processor time a chunk, more with each."
    assert second.startswith("A chunk's processor time is spent at `fsmn_vad_streaming/model.py:46")
    assert second.endswith("(70.0%).")
    assert leak_lines(found(of, explained))[1].startswith("processor time: 70% of it at fsmn_vad")


def test_a_holder_outside_the_roots_explains_a_heap_that_leaks() -> None:
    of = cell(leaking("heap_bytes", 6e5))
    first, second = texts(of, explanation(of, growth("", chain="vad.HISTORY")))
    assert first == "The process leaks: heap by 586 KiB an hour."
    assert second.startswith("`vad.HISTORY` (list) grows by 64 items a chunk")


@pytest.mark.parametrize("metric", ["heap_bytes", "threads", "children_bytes", "cpu_seconds"])
def test_a_metric_that_nobody_was_found_for_is_said_to_have_nobody(metric: str) -> None:
    of = cell(leaking(metric, 6e5))
    (text,) = texts(of, explanation(of))
    assert "By whom was not found for" in text
    assert "by whom was not found for" in leak_lines(found(of, explanation(of)))[0]


def test_memory_is_no_news_where_objects_leak() -> None:
    objects = replace(leaking("elements", 6e3), path="vad.log")
    of = cell(leaking("heap_bytes", 6e5), leaking("descriptors", 1200.0), objects)
    first = texts(of, explanation(of, growth("vad.log"), opened=(PIPE,)))[0]
    assert first == "The process leaks: descriptors by 1,200 an hour."


def test_memory_of_python_without_a_holder_is_told_by_its_line() -> None:
    of = cell(leaking("heap_bytes", 6e5))
    unheld = growth("", kind="unheld", type="", chain="", amount=90.0, quantity="bytes")
    explained = explanation(of, unheld)
    assert texts(of, explained)[1].startswith(
        "Memory of Python that no object was found to hold grows by 90 B a chunk, 11.4 MiB an "
        "hour. Allocated at"
    )
    assert (
        "memory of Python +90 B a chunk: no holder was found; allocated at"
        in (leak_lines(found(of, explained))[1])
    )


def test_a_graph_is_told_by_its_nodes_with_what_ends_it() -> None:
    of = cell(replace(leaking("elements", 6e5), path="x.h.grad_fn"))
    graph = growth("x.h.grad_fn", kind="graph", type="TanhBackward0", amount=5.0, quantity="nodes")
    explained = explanation(of, graph)
    text = texts(of, explained)[0]
    assert text.startswith("`x.h.grad_fn` (autograd graph) grows by 5 nodes a chunk, 11.4 MiB an h")
    assert "Made at `fsmn_vad_streaming/model.py:464`" in text
    assert text.endswith(
        "To end it, call the model under torch.no_grad(), or detach() the state that is kept."
    )
    assert "made at" in leak_lines(found(of, explained))[0]


@pytest.mark.parametrize(
    ("parts", "line"),
    [
        ({"growths": (growth("vad.log"),), "opened": (PIPE,)}, LINE),
        ({"growths": (growth("", chain="vad.HISTORY"),), "opened": (PIPE,)}, PIPE.openers[0]),
        ({"growths": (growth("", chain="vad.HISTORY"),), "native": (NATIVE,)}, LINE),
        ({"native": (NATIVE,), "busy": (LINE,)}, OWN_LINE),
        ({"busy": (LINE,)}, LINE),
        ({}, None),
    ],
)
def test_the_line_to_look_at_first_is_that_of_what_is_told_first(
    parts: dict[str, object], line: object
) -> None:
    of = cell(leaking("heap_bytes", 6e5))
    assert leading_line(found(of, explanation(of, **parts))) == line
