"""A scenario made in code survives being written down."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leakbench.errors import ScenarioError
from leakbench.scenario import Part, Reach, Scenario, load_scenario, shipped_scenarios
from leakbench.scenario.toml_text import format_scenario


def read_back(folder: Path, text: str) -> Scenario:
    file = folder / "other.toml"
    file.write_text(text, encoding="utf-8")
    return dataclasses.replace(load_scenario(str(file)), source=None)


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_reads_back_the_same(tmp_path: Path, name: str) -> None:
    scenario = dataclasses.replace(load_scenario(name), source=None)
    assert read_back(tmp_path, format_scenario(scenario)) == scenario


@given(
    # A NUL is refused everywhere, since text may name a file.
    description=st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), max_size=30),
    level=st.floats(-150, 0),
    generate=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
        st.recursive(
            st.booleans()
            | st.integers(-(2**53), 2**53)
            | st.floats(-1e9, 1e9)
            | st.text('aé"\\\n'),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("k ."), inner),
            max_leaves=6,
        ),
        max_size=4,
    ),
)
def test_whatever_text_and_arguments_it_holds(
    tmp_path_factory: pytest.TempPathFactory,
    description: str,
    level: float,
    generate: dict[str, object],
) -> None:
    scenario = Scenario(
        name="café at night",
        description=description,
        chunk_ms=200,
        period_seconds=1.2,
        parts=(Part(kind="noise", seconds=1.2, level_dbfs=level),),
        generate=generate,
        reach=Reach(min_silence_share=0.5),
    )
    assert read_back(tmp_path_factory.getbasetemp(), format_scenario(scenario)) == scenario


def test_what_toml_cannot_hold_is_refused() -> None:
    scenario = Scenario(
        name="night",
        period_seconds=6.0,
        parts=(Part(kind="silence", seconds=6.0),),
        generate={"hotword": None},
    )
    with pytest.raises(ScenarioError, match=r"scenario 'night': generate must hold .* got None"):
        format_scenario(scenario)
