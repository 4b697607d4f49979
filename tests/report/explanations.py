"""Explanations as a second run leaves them, of the cells in `run_folders`."""

from dataclasses import replace
from pathlib import Path

from leakbench.record.explanation import (
    AllocationLine,
    CodeLine,
    Explanation,
    Growth,
    write_explanation,
)
from leakbench.record.result import CellResult

LINE = AllocationLine(
    file="/packages/funasr/models/fsmn_vad_streaming/model.py",
    line=464,
    function="FsmnVADStreaming.ComputeDecibel",
    source='cache["stats"].decibel.extend(decibel_numpy)',
    share=0.263,
    bytes_per_hour=3e6,
)
OWN_LINE = AllocationLine(
    file="/home/me/app/stream.py",
    line=30,
    function="Vad.feed",
    source="self.log.append(samples.mean())",
    share=0.562,
    bytes_per_hour=3e6,
    through=(CodeLine(file="/packages/numpy/_core/_methods.py", line=132, function="_mean"),),
)
"""A line of a user's own, whose memory a line of numpy allocates."""
HOSTILE_LINE = AllocationLine(
    file="/tmp/<b>/model.py",
    line=1,
    function="<script>document.title='function'</script>",
    source="x = '</code><script>document.title=\"source\"</script>' # \x1b[31m \u202e `@all`",
    share=1.0,
    bytes_per_hour=3e6,
)
HOSTILE_CHAIN = "Vad.held['<img src=x onerror=\"document.title=2\">']"


def growth(path: str = "stats.decibel", **more: object) -> Growth:
    made = Growth(
        path=path,
        kind="container",
        type="list",
        amount=64.0,
        per="chunk",
        quantity="items",
        bytes_per_hour=12_000_000.0,
        chain=f"FunasrSubject._cache['stats'].{path.rpartition('.')[2]}",
        allocations=(LINE,),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def explanation(cell: CellResult, *growths: Growth, **more: object) -> Explanation:
    made = Explanation(
        cell=cell.id,
        subject=cell.subject,
        scenario=cell.scenario,
        growths=growths,
        chunks=1_200,
        versions={"funasr": "1.3.14"},
    )
    return replace(made, **more)  # type: ignore[arg-type]


def explain(folder: Path, cell: CellResult, *growths: Growth, **more: object) -> None:
    """Leave an explanation in the folder of a cell of a run."""
    home = folder / "cells" / cell.id
    home.mkdir(parents=True, exist_ok=True)
    write_explanation(home, explanation(cell, *growths, **more))
