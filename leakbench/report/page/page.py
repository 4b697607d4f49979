"""The report page: one HTML file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from leakbench.metrics import PROCESS_PATH, TOTAL_PATH
from leakbench.plan import CELLS_FOLDER
from leakbench.record.result import CellResult, MetricResult, Result
from leakbench.record.trace import LOG_FILE, SEGMENTS_FILE, STACKS_FILE, TRACE_FILE
from leakbench.report.groups import overlay_groups, overlay_name
from leakbench.report.plots import style
from leakbench.report.plots.figures import inline_svg
from leakbench.report.plots.plots import (
    describe_panel,
    overlay_looks,
    plot_overlay_panel,
    plot_trend,
)
from leakbench.report.rows import (
    NOTHING,
    Row,
    format_level,
    is_pending,
    name_metric,
    rows,
    share,
    worst_row,
)
from leakbench.report.run_folder import PLOTS_FOLDER, RunFolder
from leakbench.report.series import CellTraces, choose_panels
from leakbench.report.words import sentences
from leakbench.report.words.leak_text import leak_paragraphs
from leakbench.report.words.phrases import Paragraph
from leakbench.text import command_line, printable
from leakbench.units import format_duration

_TEMPLATES: Final = "templates"
_REPLICATE_FILES: Final = (TRACE_FILE, SEGMENTS_FILE, LOG_FILE, STACKS_FILE)


def render_page(run: RunFolder, *, others: Sequence[str] = ()) -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    run
        Result and traces.
    others
        Names of files beside the page to link to.

    Notes
    -----
    Jinja escapes every text; only the style sheet, the script and matplotlib's SVG go in as
    they are. Should a text ever get through, the Content-Security-Policy runs no script but
    the one whose hash it names, and lets nothing be fetched.
    """
    script, sheet = read_resource("page.js"), read_resource("page.css")
    anchors = {cell.cell.id: f"cell-{number}" for number, cell in enumerate(run.cells, start=1)}
    overlays = [_overlay(group, n) for n, group in enumerate(overlay_groups(run.cells), start=1)]
    told = {found.cell.id: leak_paragraphs(found) for found in run.leaks}
    told.update({cell_id: [paragraph] for cell_id, paragraph in run.undecided.items()})
    cells = [
        _cell(run.folder, cell, anchors[cell.cell.id], told.get(cell.cell.id, []))
        for cell in run.cells
    ]
    lines = [_row(row, anchors[row.cell.id]) for row in rows(run.result)]
    result = run.result
    return (
        make_environment()
        .get_template("page.html.j2")
        .render(
            policy=security_policy(script),
            style=sheet,
            script=script,
            title=f"leakbench: {result.verdict}",
            started=result.started.replace("T", " ").removesuffix("+00:00"),
            tone=_tone(result),
            headline=sentences.headline(result),
            driven=_driven(result),
            contents=_contents(overlays),
            overlays=overlays,
            cells=cells,
            rows=lines,
            verdicts=sorted({line["verdict"] for line in lines}),
            still=sum(bool(line["still"]) for line in lines),
            command=command_line(result.command) or NOTHING,
            environment=_environment(result),
            others=others,
        )
    )


def make_environment() -> Environment:
    """Return what renders our templates: all text made printable and escaped, none undefined."""
    return Environment(
        loader=PackageLoader("leakbench.report.page", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: object) -> object:
    """Return what a template puts in, as text that is safe to read; what is safe stays."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def security_policy(script: str = "") -> str:
    """Return a Content-Security-Policy that fetches nothing and runs at most `script`."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    scripts = f"script-src 'sha256-{digest}'; " if script else ""
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )


def read_resource(name: str) -> str:
    """Return the text of a style sheet or script that pages take in."""
    files = resources.files("leakbench.report.page") / _TEMPLATES / name
    return files.read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A line of an overlay's legend."""

    subject: str
    words: str
    """Its verdict and what grew most."""
    colour: str
    """CSS."""
    dashes: str
    """SVG; empty for a whole line."""


def overlay_legend(group: Sequence[CellTraces]) -> list[Key]:
    """Return the legend of cells laid over each other."""
    return [
        Key(
            subject=run.cell.subject,
            words=_key_words(run),
            colour=f"var({style.THEME_VARIABLES[look.colour]})",
            dashes="" if look.dashes == "-" else " ".join(f"{d * 2:g}" for d in look.dashes[1]),
        )
        for run, look in zip(group, overlay_looks(len(group)), strict=True)
    ]


def overlay_pictures(group: Sequence[CellTraces], name: str) -> list[str]:
    """Return an ``<svg>`` for each panel of cells laid over each other; `name` is unique."""
    return [
        inline_svg(plot_overlay_panel(group, panel), f"{name}p{n}", describe_panel(panel, group))
        for n, panel in enumerate(choose_panels(group))
    ]


def _overlay(group: Sequence[CellTraces], number: int) -> dict[str, object]:
    cell = group[0].cell
    return {
        "title": f"{cell.scenario}, {cell.chunk_ms} ms chunks, model {cell.model}",
        "legend": overlay_legend(group),
        "pictures": overlay_pictures(group, f"o{number}"),
        "stem": _link(PLOTS_FOLDER, overlay_name(group)),
    }


def _key_words(run: CellTraces) -> str:
    if run.pending:
        return "no verdict yet"
    row = worst_row(run.cell)
    grown = f", {row.name} {row.slope}" if row and row.weight > 0 else ""
    return f"{run.cell.verdict}{grown}"


def _cell(
    folder: Path, run: CellTraces, anchor: str, told: Sequence[Paragraph]
) -> dict[str, object]:
    cell = run.cell
    row = worst_row(cell)
    drawn = any(trace.samples for trace in run.traces)
    return {
        "anchor": anchor,
        "subject": cell.subject,
        "where": f"{cell.scenario}, {cell.chunk_ms} ms, {cell.model}",
        "verdict": "no verdict yet" if run.pending else cell.verdict,
        "tone": "pending" if run.pending else cell.verdict,
        "expected": NOTHING if run.pending else sentences.expectation(cell),
        "worst": f"{row.name} {row.slope}" if row and row.weight > 0 else NOTHING,
        "audio": format_duration(cell.audio_seconds),
        "segments": f"{cell.segments:,}",
        "sentence": sentences.cell_sentence(cell),
        "told": told,
        "facts": _facts(cell),
        "outlook": sentences.outlook(cell),
        "pictures": [
            inline_svg(plot_trend(run, panel), f"{anchor}p{n}", describe_panel(panel, [run]))
            for n, panel in enumerate(choose_panels([run]) if drawn else ())
        ],
        "stem": _link(PLOTS_FOLDER, cell.id) if drawn else "",
        "replicates": [_replicate(folder, cell, number) for number in range(cell.replicates)],
    }


def _facts(cell: CellResult) -> list[tuple[str, str]]:
    speech = share(cell.speech_seconds, cell.audio_seconds)
    silence = share(cell.audio_seconds - cell.speech_seconds, cell.audio_seconds)
    facts = [
        ("driven", f"{format_duration(cell.audio_seconds)} of audio in {_count(cell)}"),
        ("found", f"{cell.segments:,} segments in {cell.streams:,} streams"),
        ("speech and silence", f"{speech} speech, {silence} silence"),
        ("speed", f"{cell.speed:,.0f} times real time"),
        ("warm-up, left out", f"{format_duration(cell.warmup_seconds)} a process"),
        ("period", format_duration(cell.period_seconds) if cell.period_seconds else NOTHING),
        ("expected", sentences.expectation(cell)),
        ("how sure", _certainty(cell)),
        ("budgets", _budgets(cell)),
        ("segments against the reference", sentences.parity_sentence(cell) or "not compared"),
        ("seed", str(cell.seed)),
        ("ended", ", ".join(cell.endings) or NOTHING),
    ]
    known = sorted({(m.path, m.allowed) for m in cell.metrics if m.allowed})
    return facts + [(f"known to grow: {path}", reason) for path, reason in known]


def _certainty(cell: CellResult) -> str:
    """Return what the verdict rests on: counts of exact and of statistical answers."""
    judged = [m for m in cell.metrics if m.gated]
    exact = sum(m.tier == "exact" for m in judged)
    parts = [f"{exact} figures compared exactly"] if exact else []
    parts += [
        f"{name_metric(m)}: {m.reason}" for m in judged if m.tier == "statistical" and m.reason
    ]
    return "; ".join(parts) or NOTHING


def _budgets(cell: CellResult) -> str:
    """Return the budgets above 0, each with its paths; everything else may not grow."""
    paths: dict[str, list[str]] = {}
    for m in cell.metrics:
        if m.gated and m.budget_per_audio_hour:
            text = m.budget or f"{format_level(m.budget_per_audio_hour, m.metric)}/h"
            paths.setdefault(text, []).append(f"{name_metric(m)}")
    parts = [f"{text} for {', '.join(dict.fromkeys(names))}" for text, names in paths.items()]
    return "; ".join([*parts, "0 for everything else judged"])


def _row(row: Row, anchor: str) -> dict[str, object]:
    result = row.result
    slope = result.slope_per_audio_hour
    return {
        "anchor": anchor,
        "cell": row.cell.subject,
        "where": f"{row.cell.scenario}, {row.cell.chunk_ms} ms",
        "verdict": row.verdict,
        "tone": result.verdict,
        "path": result.path,
        "metric": row.label,
        "slope": row.slope,
        "interval": row.interval if row.interval != NOTHING else "",
        "budget": row.budget,
        "rate": row.rate if result.rate else "",
        "level": row.level,
        "why": _why(result),
        "sort_slope": "" if slope is None else repr(float(slope)),
        "sort_level": "" if result.last is None else repr(float(result.last)),
        "still": result.verdict == "flat" and slope == 0 and result.low == result.high,
    }


def _why(result: MetricResult) -> str:
    """Return the reason, with what is known of the path; not again for all that contain it."""
    if result.allowed and result.path not in (PROCESS_PATH, TOTAL_PATH):
        return f"{result.reason}. Known to grow: {result.allowed}"
    return result.reason


def _replicate(folder: Path, cell: CellResult, number: int) -> dict[str, object]:
    inside = f"{CELLS_FOLDER}/{cell.id}/r{number}"
    ending = cell.endings[number] if number < len(cell.endings) else NOTHING
    present = [name for name in _REPLICATE_FILES if _holds(folder / inside / name)]
    return {
        "ending": ending.replace("_", " "),
        "links": [(name, _link(inside, name)) for name in present],
    }


def _holds(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _environment(result: Result) -> list[tuple[str, str]]:
    facts = [(name, _plain(value)) for name, value in result.platform.items()]
    facts += [(name, _plain(value)) for name, value in result.settings.items()]
    facts += [(f"{name} version", text) for name, text in result.versions.items()]
    for subject, versions in _subject_versions(result.cells).items():
        text = ", ".join(f"{name} {version}" for name, version in versions.items())
        facts.append((f"versions in the process of {subject}", text))
    return facts


def _subject_versions(cells: Iterable[CellResult]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for cell in cells:
        if cell.versions:
            found.setdefault(cell.subject, dict(cell.versions))
    return found


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _contents(overlays: Sequence[dict[str, object]]) -> list[tuple[str, str]]:
    named = [(f"overlay-{n}", str(o["title"])) for n, o in enumerate(overlays, start=1)]
    return [*named, ("cells", "Cells"), ("paths", "Paths"), ("again", "Run it again")]


def _driven(result: Result) -> str:
    speed = result.audio_seconds / result.wall_seconds if result.wall_seconds else 0.0
    cells = len(result.cells)
    return (
        f"{format_duration(result.audio_seconds)} of audio through {cells} "
        f"cell{'' if cells == 1 else 's'} in {format_duration(result.wall_seconds)}, "
        f"{speed:,.0f} times real time"
    )


def _tone(result: Result) -> str:
    """Return the banner's colour: that of the worst cell that is not as expected, else calm."""
    amiss = {c.verdict for c in result.cells if not c.as_expected and not is_pending(c)}
    ranked = ("error", "leak", "undecided")
    return next((v for v in ranked if v in amiss), "leak" if amiss else "flat")


def _count(cell: CellResult) -> str:
    return f"{cell.replicates} process{'' if cell.replicates == 1 else 'es'}"


def _link(*parts: str) -> str:
    return quote("/".join(parts))
