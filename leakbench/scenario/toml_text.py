"""A scenario made in code, as the TOML text that a worker and a run's folder keep."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping

from leakbench.errors import ScenarioError
from leakbench.scenario import Scenario


def format_scenario(scenario: Scenario) -> str:
    """Return TOML that :func:`~leakbench.scenario.load_scenario` reads back as `scenario`.

    Raises
    ------
    ScenarioError
        When ``generate`` holds a None, which TOML cannot.
    """
    fields = {field.name: getattr(scenario, field.name) for field in dataclasses.fields(scenario)}
    for name in ("source", "parts", "generate", "reach"):
        del fields[name]
    lines = list(_pairs(scenario, fields))
    for part in scenario.parts:
        lines += ["", "[[parts]]", *_pairs(scenario, dataclasses.asdict(part))]
    lines += ["", "[reach]", *_pairs(scenario, dataclasses.asdict(scenario.reach))]
    if scenario.generate:
        lines += ["", "[generate]"]
        lines += [f"{_text(key)} = {_value(scenario, v)}" for key, v in scenario.generate.items()]
    return "\n".join(lines) + "\n"


def _pairs(scenario: Scenario, fields: Mapping[str, object]) -> Iterator[str]:
    for key, value in fields.items():
        if value is not None:
            yield f"{key} = {_value(scenario, value)}"


def _value(scenario: Scenario, value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case Mapping():
            inner = (f"{_text(str(k))} = {_value(scenario, v)}" for k, v in value.items())
            return f"{{{', '.join(inner)}}}"
        case list() | tuple():
            return f"[{', '.join(_value(scenario, item) for item in value)}]"
    raise ScenarioError(
        f"scenario {scenario.name!r}: generate must hold what TOML can (text, numbers, booleans, "
        f"lists, tables), got {value!r:.80}"
    )


def _text(text: str) -> str:
    # A JSON string is a TOML basic string, but for the one control character JSON lets through.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
