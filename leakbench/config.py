"""``leakbench.toml``: the matrix a gate runs, what each cell must show, and its budgets."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

from leakbench.errors import ConfigError
from leakbench.trace import Metric, ObjectMetric, ProcessMetric
from leakbench.units import parse_budget, parse_duration
from leakbench.verdict.assess import BudgetRule

CONFIG_FILE: Final = "leakbench.toml"

_METRICS: Final = (*get_args(ObjectMetric), *get_args(ProcessMetric))


@dataclass(frozen=True, slots=True, kw_only=True)
class CellConfig:
    """Cells of the matrix that must show the same thing."""

    subjects: tuple[str, ...]
    scenarios: tuple[str, ...]
    chunk_ms: tuple[int, ...] = ()
    """Chunk lengths; empty for each scenario's own."""
    model: str = "embedded"
    recordings: Path | None = None
    """Audio of a recorded scenario."""
    expect: Literal["flat", "leak"] = "flat"
    leaks_in: tuple[str, ...] = ()
    """Path patterns that must all leak, where a leak is expected."""
    audio_seconds: float | None = None
    """Audio at most for each replicate; None for each scenario's own."""
    at_least_seconds: float = 0.0
    replicates: int = 1
    parity: Literal["report", "require"] = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A gate, as configured."""

    cells: tuple[CellConfig, ...] = ()
    rules: tuple[BudgetRule, ...] = ()
    jobs: int | None = None
    seed: int = 0
    output: Path | None = None
    source: Path | None = field(default=None)


def load_config(path: Path) -> Config:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        When it is missing, is not TOML, or a key is unknown or holds what it may not; the
        message names the file and the key.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: no such file; name another with --config, or write one with `leakbench init`"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    table = _Table(data, f"{path}")
    gate = table.table("gate")
    config = Config(
        cells=tuple(_cell(cell) for cell in table.tables("cell")),
        rules=tuple(_rule(rule) for rule in table.tables("budget")),
        jobs=gate.positive("jobs"),
        seed=gate.integer("seed", 0),
        output=Path(text) if (text := gate.text("output", "")) else None,
        source=path,
    )
    gate.close()
    table.close()
    return config


def _cell(table: _Table) -> CellConfig:
    audio = table.text("audio", "")
    cell = CellConfig(
        subjects=table.texts("subject", required=True),
        scenarios=table.texts("scenario", required=True),
        chunk_ms=table.positives("chunk_ms"),
        model=table.text("model", "embedded"),
        recordings=Path(text) if (text := table.text("recordings", "")) else None,
        expect=cast(Literal["flat", "leak"], table.choice("expect", ("flat", "leak"))),
        leaks_in=table.texts("leaks_in"),
        audio_seconds=table.parsed("audio", parse_duration, audio) if audio else None,
        at_least_seconds=table.parsed("at_least", parse_duration, text)
        if (text := table.text("at_least", ""))
        else 0.0,
        replicates=table.positive("replicates") or 1,
        parity=cast(Literal["report", "require"], table.choice("parity", ("report", "require"))),
    )
    if cell.leaks_in and cell.expect == "flat":
        raise ConfigError(f"{table.where}: leaks_in says where a leak is expected; set expect")
    table.close()
    return cell


def _rule(table: _Table) -> BudgetRule:
    metric = table.choice("metric", ("", *_METRICS))
    limit = table.text("limit", "")
    rule = BudgetRule(
        path=table.text("path", "*"),
        metric=cast(Metric, metric) if metric else None,
        budget=table.parsed("limit", parse_budget, limit),
        reason=table.text("reason", ""),
        link=table.text("link", ""),
    )
    table.close()
    return rule


class _Table:
    """A TOML table that tells which key is wrong, and how."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._data = dict(data)
        self.where = where

    def table(self, key: str) -> _Table:
        value = self._data.pop(key, {})
        if not isinstance(value, dict):
            raise self._error(key, "a table", value)
        return _Table(value, f"{self.where}: [{key}]")

    def tables(self, key: str) -> Sequence[_Table]:
        value = self._data.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._error(key, f"tables, each headed [[{key}]]", value)
        return [_Table(item, f"{self.where}: [[{key}]] {i}") for i, item in enumerate(value, 1)]

    def text(self, key: str, default: str) -> str:
        value = self._data.pop(key, default)
        if not isinstance(value, str):
            raise self._error(key, "a string", value)
        return value

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        value = self._data.pop(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self._error(key, "a string or a list of strings", value)
        if required and not items:
            raise ConfigError(f"{self.where}: {key} is missing; name at least one")
        return tuple(items)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        value = self._data.pop(key, choices[0])
        if value not in choices:
            raise self._error(key, f"one of {', '.join(filter(None, choices))}", value)
        return cast(str, value)

    def integer(self, key: str, default: int) -> int:
        value = self._data.pop(key, default)
        if type(value) is not int:
            raise self._error(key, "a whole number", value)
        return value

    def positive(self, key: str) -> int | None:
        value = self._data.pop(key, None)
        if value is not None and (type(value) is not int or value < 1):
            raise self._error(key, "a whole number >= 1", value)
        return cast(int | None, value)

    def positives(self, key: str) -> tuple[int, ...]:
        value = self._data.pop(key, [])
        items = value if isinstance(value, list) else [value]
        if not all(type(item) is int and item > 0 for item in items):
            raise self._error(key, "a whole number > 0 or a list of them", value)
        return tuple(items)

    def parsed(self, key: str, parse: Any, text: str) -> Any:
        try:
            return parse(text)
        except ConfigError as error:
            raise ConfigError(f"{self.where}: {key}: {error}") from error

    def close(self) -> None:
        """Refuse what nobody asked for: a misspelt key must not be silently ignored."""
        if self._data:
            raise ConfigError(f"{self.where}: unknown key {next(iter(self._data))!r}")

    def _error(self, key: str, expected: str, got: object) -> ConfigError:
        return ConfigError(f"{self.where}: {key} must be {expected}, got {got!r}")
