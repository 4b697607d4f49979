import shutil
from pathlib import Path

import pytest

from leakbench.errors import OutputError
from leakbench.report.folder import write_report
from tests.report.run_folders import error_cell, write_run


def test_a_report_is_a_page_a_summary_a_junit_file_and_the_plots(
    report: list[Path], run_folder: Path
) -> None:
    names = {path.relative_to(run_folder).as_posix() for path in report}
    assert {"report.html", "summary.md", "junit.xml"} <= names
    for stem in ("original--silence--600ms", "fixed--silence--600ms", "overlay--silence--600ms"):
        assert {f"plots/{stem}.png", f"plots/{stem}.svg"} <= names
    assert all(path.stat().st_size for path in report)


def test_a_cell_without_samples_has_no_plot_and_does_no_harm(tmp_path: Path) -> None:
    cell = error_cell(replicates=0)
    written = write_report(write_run(tmp_path / "run", [cell]))
    assert [path.name for path in written] == ["summary.md", "junit.xml", "report.html"]


def test_a_report_can_be_written_again(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [error_cell()])
    first = {path: path.read_bytes() for path in write_report(folder)}
    assert {path: path.read_bytes() for path in write_report(folder)} == first


def test_a_folder_whose_traces_were_removed_still_has_its_verdicts(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", [error_cell()])
    shutil.rmtree(folder / "cells")
    assert len(write_report(folder)) == 3


def test_a_folder_that_holds_no_run_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"expected a run folder with result\.json"):
        write_report(tmp_path)
