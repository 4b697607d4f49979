"""Two or more run folders compared, and the files that come of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from leakbench.plan import CELLS_FOLDER
from leakbench.record.files import write_json
from leakbench.record.result import Parity
from leakbench.record.trace import read_begin, read_segments
from leakbench.report.comparison.comparison import CellComparison, Comparison, compare, pair_cells
from leakbench.report.comparison.text import (
    HEAD,
    cell_name,
    comparison_data,
    comparison_markdown,
    comparison_sentence,
    parity_words,
    path_line,
    telling_paths,
    verdict_words,
)
from leakbench.report.page.page import (
    make_environment,
    overlay_legend,
    overlay_pictures,
    read_resource,
    security_policy,
)
from leakbench.report.plots.figures import save_figure
from leakbench.report.plots.plots import plot_overlay
from leakbench.report.run_folder import RunFolder, read_run
from leakbench.report.series import CellTraces
from leakbench.verdict.parity import compare_segments

PAGE_FILE: Final = "comparison.html"
TEXT_FILE: Final = "comparison.md"
DATA_FILE: Final = "comparison.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRuns:
    """Two run folders and how they compare."""

    before: RunFolder
    after: RunFolder
    comparison: Comparison


def compare_folders(folders: Sequence[Path]) -> tuple[ComparedRuns, ...]:
    """Compare the first of `folders`, at least two, with each of the others.

    Raises
    ------
    OutputError
        When one of them holds no result.
    """
    before, *others = [read_run(folder) for folder in folders]
    return tuple(
        ComparedRuns(
            before=before,
            after=after,
            comparison=compare(
                before.result,
                after.result,
                before_name=before.folder.name,
                after_name=after.folder.name,
                parities=_read_parities(before, after),
            ),
        )
        for after in others
    )


def write_comparison(compared: Sequence[ComparedRuns], output: Path) -> list[Path]:
    """Write the page, Markdown, JSON and an overlay for each pair of cells into `output`.

    Raises
    ------
    OSError
        When `output` cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    written = [output / PAGE_FILE, output / TEXT_FILE, output / DATA_FILE]
    shown = []
    for number, runs in enumerate(compared, start=1):
        cells = []
        for place, cell in enumerate(runs.comparison.cells, start=1):
            pair = _pair(runs, cell)
            stem = f"overlay-{number}-{place}"
            if pair:
                written += save_figure(plot_overlay(*pair), output / stem)
            cells.append(
                {
                    "name": cell_name(cell),
                    "verdicts": verdict_words(cell),
                    "parity": parity_words(cell.parity),
                    "legend": overlay_legend(pair) if pair else [],
                    "pictures": overlay_pictures(pair, f"c{number}-{place}") if pair else [],
                    "stem": stem,
                    "lines": [path_line(path) for path in telling_paths(cell)],
                }
            )
        shown.append(
            {
                "sentence": comparison_sentence(runs.comparison),
                "tone": "leak" if runs.comparison.regressed else "flat",
                "cells": cells,
            }
        )
    page = (
        make_environment()
        .get_template("comparison.html.j2")
        .render(
            policy=security_policy(),
            style=read_resource("page.css"),
            title=" and ".join(runs.comparison.after_name for runs in compared),
            comparisons=shown,
            head=HEAD,
        )
    )
    (output / PAGE_FILE).write_text(page, encoding="utf-8")
    texts = [comparison_markdown(runs.comparison) for runs in compared]
    (output / TEXT_FILE).write_text("\n".join(texts), encoding="utf-8")
    write_json(output / DATA_FILE, [comparison_data(runs.comparison) for runs in compared])
    return written


def _pair(runs: ComparedRuns, cell: CellComparison) -> tuple[CellTraces, ...]:
    """Return the traces of both cells under names that differ; none unless both have samples."""
    if cell.before is None or cell.after is None:
        return ()
    old, new = (
        next(c for c in run.cells if c.cell.id == found.id)
        for run, found in ((runs.before, cell.before), (runs.after, cell.after))
    )
    if not all(any(trace.samples for trace in run.traces) for run in (old, new)):
        return ()
    if old.cell.subject != new.cell.subject:
        return old, new
    names = (runs.comparison.before_name, runs.comparison.after_name)
    return tuple(
        dataclasses.replace(
            run, cell=dataclasses.replace(run.cell, subject=f"{run.cell.subject} ({name})")
        )
        for run, name in zip((old, new), names, strict=True)
    )


def _read_parities(before: RunFolder, after: RunFolder) -> dict[str, Parity]:
    """Return whether paired cells found the same segments, where both were fed the same audio."""
    parities = {}
    for old, new in pair_cells(before.result.cells, after.result.cells):
        if old is None or new is None:
            continue
        folders = (
            before.folder / CELLS_FOLDER / old.id / "r0",
            after.folder / CELLS_FOLDER / new.id / "r0",
        )
        begins = [read_begin(folder) for folder in folders]
        if begins[0] is None or begins[1] is None:
            continue
        if begins[0].stimulus_sha256 != begins[1].stimulus_sha256:
            continue
        parities[new.id] = compare_segments(
            read_segments(folders[0]),
            read_segments(folders[1]),
            reference_name=old.subject,
            chunks=min(_chunks(before, old.id), _chunks(after, new.id)),
            chunk_seconds=begins[1].chunk_seconds,
        )
    return parities


def _chunks(run: RunFolder, cell_id: str) -> int:
    """Return the chunks that the first replicate of a cell was fed by its last sample."""
    traces = next(c.traces for c in run.cells if c.cell.id == cell_id)
    return traces[0].samples[-1].chunk if traces and traces[0].samples else 0
