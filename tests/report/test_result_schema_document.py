import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from leakbench.metrics import metric_names
from leakbench.record.result import SCHEMA, CellResult, MetricResult, Outcome, Parity, Result
from leakbench.record.trace import Ending

DOCUMENT = Path(__file__).parents[2] / "docs" / "result-schema.md"


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (Result, "The run"),
        (CellResult, "A cell"),
        (MetricResult, "A metric"),
        (Parity, "Parity"),
    ],
)
def test_every_field_is_documented_under_its_heading(kind: type, heading: str) -> None:
    sections = re.split(r"^## ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    section = next(text for text in sections if text.startswith(f"{heading}\n"))
    named = set(re.findall(r"`(\w+)`", section))
    assert {field.name for field in fields(kind)} - named == set()


def test_every_outcome_ending_and_metric_is_documented_and_the_schema_named() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    words = {*get_args(Outcome), *get_args(Ending), *metric_names()}
    assert words - set(re.findall(r"`(\w+)`", text)) == set()
    assert SCHEMA in text
