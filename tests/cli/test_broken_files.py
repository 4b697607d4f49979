"""Any file of a run may be broken: the others are read, and one line names it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from leakbench.record.result import read_result
from tests.cli.calling import Call, leakbench

LEAKY = "leakbench.controls-leaky--silence--600ms--embedded"
BOUNDED = "leakbench.controls-bounded--silence--600ms--embedded"
INTACT = {"report": 1, "compare": 0}
"""Statuses of the intact run: one cell leaks; the second of the same run is no worse."""

Harm = Callable[[Path], None]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def end_in_nul(file: Path) -> None:
    file.write_bytes(file.read_bytes() + bytes(64))


def put_in_a_byte(file: Path) -> None:
    text = file.read_bytes()
    file.write_bytes(text[: len(text) // 2] + b"\xff" + text[len(text) // 2 :])


def put_in_a_line(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:1], b"what is this\n", *lines[1:]]))


def make_a_list(file: Path) -> None:
    file.write_text("[1, 2]\n" * 3)


def make_text_of_numbers(file: Path) -> None:
    rows = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    file.write_text("".join(f"{json.dumps(_as_text(json.loads(row)))}\n" for row in rows))


def _as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_text(each) for each in value]
    return f"<{value}>" if isinstance(value, int | float) and not isinstance(value, bool) else value


def add_a_key(file: Path) -> None:
    if file.suffix == ".json":
        data = json.loads(file.read_text())
        file.write_text(json.dumps({**data, "of_a_later_version": [1, {"two": 2}]}))
    else:
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        more = [{**row, "later": 1} if isinstance(row, dict) else row for row in rows]
        file.write_text("".join(f"{json.dumps(row)}\n" for row in more))


def remove(file: Path) -> None:
    file.unlink()


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


HARMS = (
    *(cut, empty, end_in_nul, put_in_a_byte, put_in_a_line, make_a_list, make_text_of_numbers),
    *(add_a_key, remove, make_a_folder),
)
FILES = (
    *("run.json", "result.json", f"cells/{LEAKY}/decided.json", f"cells/{LEAKY}/explanation.json"),
    *(f"cells/{LEAKY}/r0/{name}" for name in ("begin.json", "end.json", "cell.json")),
    *(f"cells/{LEAKY}/r0/{name}" for name in ("trace.jsonl", "segments.jsonl")),
)


ALWAYS = [(FILES[-2], harm) for harm in (cut, put_in_a_byte, make_text_of_numbers, add_a_key)]


def ways(often: tuple[Harm, ...]) -> list[ParameterSet]:
    """Every file with every harm; of all but one file, most are for the slow suite."""
    return [
        pytest.param(
            name,
            harm,
            marks=[] if harm in often or (name, harm) in ALWAYS else [pytest.mark.slow],
            id=f"{Path(name).name}-{harm.__name__}",
        )
        for name in FILES
        for harm in HARMS
    ]


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a leak that is explained and of one that is none, in real workers."""
    folder = tmp_path_factory.mktemp("intact")
    subjects = [f"leakbench.controls:{name}" for name in ("leaky", "bounded")]
    options = ("--scenario", "silence", "--output", "run", "--explain")
    done = leakbench("run", *(f"--subject={name}" for name in subjects), *options, cwd=folder)
    assert done.returncode == INTACT["report"], done.stderr
    return folder / "run"


@pytest.mark.parametrize(("name", "harm"), ways(often=(put_in_a_line,)))
def test_a_broken_file_is_named_and_breaks_its_own_cell_alone(
    intact: Path, tmp_path: Path, call: Call, name: str, harm: Harm
) -> None:
    run = tmp_path / "run"
    shutil.copytree(intact, run)
    harm(run / name)
    done = call("report", str(run))
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode == 2:
        # What the whole run rests on, or what cannot be written.
        assert name in ("run.json", "result.json")
        assert name in done.stderr
        assert len(done.stderr.splitlines()) == 1
        return
    cells = {cell.id: cell for cell in read_result(run).cells}
    assert cells[BOUNDED].verdict == "flat"
    if done.returncode == INTACT["report"]:
        assert cells[LEAKY].verdict == "leak"
        return
    assert done.returncode in (3, 4), done.stdout
    assert cells[LEAKY].verdict in ("undecided", "error")
    if cells[LEAKY].verdict == "error":
        said = cells[LEAKY].error
        assert Path(name).name in said or "no samples" in said or "killed" in said, said


@pytest.mark.parametrize(("name", "harm"), ways(often=(put_in_a_byte,)))
def test_runs_with_a_broken_file_are_compared_or_refused(
    intact: Path, tmp_path: Path, call: Call, name: str, harm: Harm
) -> None:
    run = tmp_path / "run"
    shutil.copytree(intact, run)
    harm(run / name)
    for command in (("compare", str(intact), str(run)), ("history", str(tmp_path))):
        done = call(*command)
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode in (0, 2), (command, done.stdout, done.stderr)
        assert len(done.stderr.splitlines()) <= 1
        if done.returncode == 2:
            assert Path(name).name in done.stderr or "result.json" in done.stderr
