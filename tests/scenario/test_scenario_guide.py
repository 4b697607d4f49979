"""What docs/scenarios.md says is what leakbench does."""

import dataclasses
import re
from pathlib import Path

import pytest

from leakbench.errors import ScenarioError
from leakbench.scenario import Part, Reach, Scenario, load_scenario, shipped_scenarios

GUIDE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
MISTAKES = re.findall(r"^\| `([^`]+)` \| `(x\.toml: [^`]+)` \|$", GUIDE, re.MULTILINE)
ROWS = set(re.findall(r"^\| `([\w-]+)` \|", GUIDE, re.MULTILINE))


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert EXAMPLE is not None
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.toml"
    path.write_text(EXAMPLE[1], encoding="utf-8")
    return path


def test_the_example_loads(example: Path) -> None:
    scenario = load_scenario(str(example))
    assert scenario.chunks_per_period(200) == 150
    assert {part.kind for part in scenario.parts} == {"speech", "noise", "silence"}


def test_the_tables_hold_every_key_and_every_shipped_scenario() -> None:
    keys = {field.name for kind in (Scenario, Part, Reach) for field in dataclasses.fields(kind)}
    assert (keys - {"source"}) | set(shipped_scenarios()) == ROWS


def test_the_table_of_shipped_scenarios_tells_their_periods() -> None:
    for name in shipped_scenarios():
        period = load_scenario(name).period_seconds
        shown = "as long as the recordings" if period is None else f"{period:g} s"
        assert f"| `{name}` | {shown} |" in GUIDE


def test_mistakes_are_shown() -> None:
    assert len(MISTAKES) >= 8


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_a_mistake_reads_as_shown(example: Path, line: str, message: str) -> None:
    key = line.partition(" = ")[0].replace("chunk_msec", "chunk_ms")
    text = re.sub(rf"^{key} = .*$", lambda _: line, example.read_text(), flags=re.MULTILINE)
    example.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("x.toml")
    assert str(caught.value) == message
