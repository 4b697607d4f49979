"""One run folder with everything in it, and its report, made once."""

from pathlib import Path

import pytest

from leakbench.report.folder import write_report
from tests.report.explanations import HOSTILE_CHAIN, HOSTILE_LINE, explain, growth
from tests.report.run_folders import error_cell, fixed_cell, leaking_cell, undecided_cell, write_run

HOSTILE_SCENARIO = '<script>document.title="ran"</script>'
HOSTILE_SUBJECT = '"><img src=x onerror="document.title=1"> $a_b^{2$'


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Original and fixed on silence, one of each other verdict, and names that want to run.

    The original is explained, by lines that want to run, too.
    """
    folder = write_run(
        tmp_path_factory.mktemp("runs") / "run",
        [
            leaking_cell(),
            fixed_cell(),
            fixed_cell(HOSTILE_SUBJECT, HOSTILE_SCENARIO, id="hostile", audio_seconds=900.0),
            undecided_cell(audio_seconds=900.0, speech_seconds=315.0),
            error_cell(),
        ],
    )
    explain(folder, leaking_cell(), growth(chain=HOSTILE_CHAIN, allocations=(HOSTILE_LINE,)))
    return folder


@pytest.fixture(scope="session")
def report(run_folder: Path) -> list[Path]:
    """The files that the report of `run_folder` consists of."""
    return write_report(run_folder)


@pytest.fixture(scope="session")
def page(report: list[Path]) -> str:
    return next(path for path in report if path.name == "report.html").read_text(encoding="utf-8")
