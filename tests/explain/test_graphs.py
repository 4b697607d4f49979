"""The autograd graph that a state keeps, and the line that makes it."""

from pathlib import Path

import pytest

from tests.explain.workers import explain_alone

pytest.importorskip("torch", reason="needs the funasr extra: pip install 'leakbench[funasr]'")

SUBJECTS = Path(__file__).parent / "graph_subjects.py"
PATH = "state.h.grad_fn"
CALL = 'self.keep(self.cell(audio, self.state["h"]))'
FORWARD = "return torch.tanh(self.linear(audio) + state)"
MEMORY = {"heap_bytes": 2e7, "rss_bytes": 2e7}


def test_the_line_that_makes_the_graph_of_a_known_path_is_named(tmp_path: Path) -> None:
    (growth,) = explain_alone(tmp_path, f"{SUBJECTS}:Graph", MEMORY, paths=(PATH,)).growths
    assert (growth.kind, growth.path) == ("graph", PATH)
    assert growth.chain == "Graph.state['h'].grad_fn"
    assert growth.per == "chunk"
    # The tensor made of each chunk's audio, 80 numbers of 4 bytes, and the state, of 64.
    assert growth.bytes_per_hour == pytest.approx(6000 * (320 + 256), rel=0.05)
    (line,) = growth.allocations
    assert line.source == FORWARD


@pytest.mark.parametrize(("name", "line"), [("Hidden", FORWARD), ("Traced", CALL)])
def test_a_graph_outside_the_roots_is_found_where_memory_grows_that_nothing_explains(
    tmp_path: Path, name: str, line: str
) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:{name}", MEMORY)
    (growth,) = [growth for growth in found.growths if growth.kind == "graph"]
    assert growth.chain in ("graph_subjects.STATE['h'].grad_fn", f"{name}.state['h'].grad_fn")
    assert growth.allocations[0].source == line
    assert found.native == ()


@pytest.mark.parametrize("name", ["Detached", "OneChunk"])
def test_a_graph_that_is_let_go_does_not_grow(tmp_path: Path, name: str) -> None:
    growths = explain_alone(tmp_path, f"{SUBJECTS}:{name}", MEMORY).growths
    assert [growth for growth in growths if growth.kind == "graph"] == []
