"""Which growth a path may show: the default of its metric, and known residuals near it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from leakbench.errors import ConfigError
from leakbench.metrics import PROCESS_PATH, TOTAL_PATH, Scope, metric_names, metric_of
from leakbench.units import Budget, Exposure, parse_budget


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """Growth that the configuration allows, with the reason it gives."""

    path: str
    """Pattern of paths; ``*`` stands for any text, ``?`` for one character."""
    budget: Budget
    metric: str | None = None
    """None: the byte metrics for a budget in bytes, ``elements`` for one in elements,
    ``chunk_seconds`` for one in seconds."""
    reason: str = ""
    link: str = ""


def parse_rule(text: str) -> BudgetRule:
    """Parse ``[PATH[:METRIC]=]LIMIT``; a bare limit is the process heap's.

    Raises
    ------
    ConfigError
        When the metric is unknown, the limit is no budget, or there can be nothing it is for.
    """
    target, equals, limit = text.rpartition("=")
    path, _, metric = target.partition(":")
    if not equals:
        path, metric = PROCESS_PATH, "heap_bytes"
    rule = BudgetRule(path=path, metric=metric or None, budget=parse_budget(limit))
    check_rule(rule)
    return rule


def check_rule(rule: BudgetRule) -> None:
    """Refuse a budget that could apply to nothing, whatever paths a subject has.

    Raises
    ------
    ConfigError
        When its path, its metric and its unit contradict each other.
    """
    if not rule.path:
        raise ConfigError("path must be a pattern such as stats.* or process, got none")
    quantity = rule.budget.quantity
    of_process = rule.path == PROCESS_PATH
    if rule.metric is None:
        scope: Scope = "process" if of_process else "objects"
        counted = {metric_of(name).quantity for name in metric_names(scope)}
        if quantity not in counted:
            advice = "name an object's path" if of_process else f"give the path {PROCESS_PATH}"
            raise ConfigError(
                f"path {rule.path!r} has no metric in {quantity}, got the limit {rule.budget}; "
                f"{advice}, or limit {' or '.join(sorted(counted))}"
            )
        return
    metric = metric_of(rule.metric)
    if metric.quantity != quantity:
        raise ConfigError(f"{metric.name} is in {metric.quantity}, got the limit {rule.budget}")
    if metric.scope == "process" and not matches(rule.path, PROCESS_PATH):
        raise ConfigError(
            f"{metric.name} is of the process, got the path {rule.path!r}; give {PROCESS_PATH}"
        )
    if metric.scope == "objects" and of_process:
        raise ConfigError(
            f"{metric.name} is of objects, got the path {PROCESS_PATH}; give an object's path"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a path and metric may grow, and why."""

    per_hour: float
    """Growth allowed an audio-hour."""
    text: str
    """The budgets it is made of, as they were written."""
    why: str = ""
    """Reasons and links of the rules that apply; empty where only the default does."""
    exempt: bool = False
    """Whether the metric is shown only: elements of a path whose growth is budgeted in bytes."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """The rules, resolved against the paths of a cell."""

    rules: Sequence[BudgetRule]
    paths: Sequence[str]
    exposure: Exposure
    defaults: Mapping[str, Budget] = field(default_factory=dict)
    """Growth allowed where no rule says otherwise, instead of the catalogue's."""

    def of(self, path: str, metric: str) -> Allowance:
        """Return what `path` may grow in `metric`.

        Sizes include what is below a path, so the bytes that a rule allows one path are
        granted to the paths that hold it, to the paths it holds (they are where it grows),
        to ``total``, and to the process. Elements are a container's own: no one else's. A
        rule whose path is ``process`` replaces the default of the metrics it is for; a pattern
        that happens to match it only ever adds.
        """
        terms, reasons, exempt = [], [], False
        base = self.defaults.get(metric, metric_of(metric).budget)
        for rule in self.rules:
            if path == PROCESS_PATH and _replaces(rule, metric):
                base = rule.budget
                continue
            matched = [known for known in self.paths if matches(rule.path, known)]
            within = any(path == known or is_below(path, known) for known in matched)
            if metric == "elements" and within and rule.budget.quantity == "bytes":
                exempt = True
            if not _applies(rule, metric) or (metric == "elements" and path not in matched):
                continue
            grants = _grants(path, matched)
            if grants:
                terms += [rule.budget] * grants
                reasons.append(" ".join(filter(None, (rule.reason, rule.link))))
        if base is not None:
            terms.insert(0, base)
        return Allowance(
            per_hour=sum(term.per_hour(self.exposure) for term in terms),
            text=" + ".join(str(term) for term in terms) or "0",
            why="; ".join(filter(None, dict.fromkeys(reasons))),
            exempt=exempt and not terms,
        )


def matches(pattern: str, path: str) -> bool:
    """Whether `pattern` fits the whole of `path`; brackets stand for themselves."""
    return _compiled(pattern).fullmatch(path) is not None


@functools.lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)
    )


def is_below(path: str, ancestor: str) -> bool:
    """Whether `path` is held by `ancestor`; everything but the process is held by ``total``."""
    if path in (ancestor, PROCESS_PATH):
        return False
    if ancestor == TOTAL_PATH:
        return True
    return path.startswith(ancestor) and path[len(ancestor)] in ".["


def _grants(path: str, matched: Iterable[str]) -> int:
    """Return how often a rule's allowance counts for `path`."""
    if any(path == known or is_below(path, known) for known in matched):
        return 1
    topmost = [known for known in matched if not any(is_below(known, other) for other in matched)]
    if path in (TOTAL_PATH, PROCESS_PATH):
        return len(topmost)
    return sum(is_below(known, path) for known in topmost)


def _replaces(rule: BudgetRule, metric: str) -> bool:
    """Whether a rule is the budget of one of the process's metrics, rather than an allowance."""
    names_it = rule.metric == metric or (rule.metric is None and rule.path == PROCESS_PATH)
    return names_it and rule.budget.quantity == metric_of(metric).quantity


def _applies(rule: BudgetRule, metric: str) -> bool:
    known = metric_of(metric)
    if rule.budget.quantity != known.quantity:
        return False
    if rule.metric == metric:
        return True
    if known.scope == "objects":
        return rule.metric is None
    # Bytes that objects may grow by are bytes that the process may grow by.
    of_objects = rule.metric is None or metric_of(rule.metric).scope == "objects"
    return known.holds_objects and of_objects
