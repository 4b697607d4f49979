"""A subject that supplies hostile text everywhere it can, followed into every output."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from leakbench.record.result import read_result
from tests.cli.calling import leakbench

ESCAPES = "\x1b[35;45mEVIL\x1b]0;pwned\x07"
TEXT = f"[/x] :V: :boom:\n::error::PWN %0A ##[error]PWN {ESCAPES} \u202e \ud800 <b> @all"
FILE = "ev[red]il :V: ::error::PWN.py"
SUBJECTS = f"""
from leakbench.controls import EnergyVad

TEXT = {TEXT!a}

class Leaks(EnergyVad):
    def __init__(self):
        super().__init__()
        self.kept = []
    def feed(self, samples, is_final):
        self.kept.append(float(samples[0]) + len(self.kept))
        return super().feed(samples, is_final)
    def roots(self):
        return {{TEXT: self.kept, "::error::PWN": {{TEXT: 1}}}}

class Raises(EnergyVad):
    def feed(self, samples, is_final):
        raise ValueError(TEXT)
"""
SCENARIO = """
name = "::error::PWN [x] :V: ##[error]PWN"
period_seconds = 6
[[parts]]
kind = "silence"
seconds = 6
"""
OWN_ANNOTATION = re.compile(r"::(error|warning) [^:]*title=leakbench%3A ")
OWN_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What a progress bar is made of: colours, and moves of the cursor."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both subjects driven as in a build of GitHub's, with everything that was written."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / FILE).write_text(SUBJECTS, encoding="utf-8")
    (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
    done = leakbench(
        *arguments("github"), cwd=folder, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY="step.md"
    )
    assert done.returncode == 4, done.stderr
    (folder / "log").write_text(done.stdout + done.stderr, encoding="utf-8")
    return folder


def arguments(output: str) -> tuple[str, ...]:
    return (
        *("run", "--subject", f"{FILE}:Leaks", "--subject", f"{FILE}:Raises"),
        *("--scenario", "scenario.toml", "--model", f"m{TEXT!a}", "--output", output),
    )


def check_text(text: str) -> None:
    """Check that nothing of `text` is obeyed by a terminal or a build server."""
    assert "PWN" in text
    for line in text.split("\n"):
        assert line.isprintable(), line
        if not OWN_ANNOTATION.match(line):
            assert not line.strip().startswith("::"), line
        assert "##[" not in line, line


def test_it_is_found_to_leak_and_to_raise(folder: Path) -> None:
    leaks, raises = read_result(folder / "github").cells
    assert leaks.verdict == "leak"
    assert raises.verdict == "error"


def test_a_log_obeys_none_of_it(folder: Path) -> None:
    log = (folder / "log").read_text(encoding="utf-8")
    check_text(log)
    assert "[/x] :V: :boom:" in log
    assert f"{FILE}:Leaks x ::error::PWN [x] :V:" in log
    assert r"\x1b[35;45mEVIL\x1b]0;pwned\x07" in log
    assert r"\ud800" in log


def test_annotations_are_one_for_each_cell(folder: Path) -> None:
    log = (folder / "log").read_text(encoding="utf-8")
    commands = [line for line in log.splitlines() if line.startswith("::")]
    assert [line.partition(" ")[0] for line in commands] == ["::error", "::error"]


def test_a_log_in_ascii_obeys_none_of_it(folder: Path) -> None:
    done = leakbench("report", "github", cwd=folder, PYTHONIOENCODING="ascii", COLUMNS="60")
    assert done.returncode == 4
    assert (done.stdout + done.stderr).isascii()
    check_text(done.stdout)


def test_a_terminal_obeys_none_of_it(folder: Path) -> None:
    status, shown = in_a_terminal(folder, *arguments("terminal"))
    assert status == 4
    assert "\x1b[35;45m" not in shown
    assert "\x1b]" not in shown
    plain = OWN_SEQUENCE.sub("", shown)
    assert "\x1b" not in plain
    assert "[/x] :V: :boom:" in plain
    assert f"{FILE}:Leaks x ::error::PWN [x] :V:" in plain
    for line in re.split(r"[\r\n]+", plain):
        assert line.isprintable(), line


def test_the_printed_command_does_the_same_again(folder: Path) -> None:
    log = (folder / "log").read_text(encoding="utf-8")
    (again,) = [line for line in log.splitlines() if line.startswith("again: ")]
    typed = again.removeprefix("again: leakbench ")
    program = "import sys; print(ascii(sys.argv[1:]))"
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -c '{program}' {typed}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.strip() == ascii(list(arguments("github")))


@pytest.mark.parametrize("name", ["github/summary.md", "step.md"])
def test_a_summary_shows_it_as_text(folder: Path, name: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    check_text(text)
    # In the block with the command nothing is a mention or a tag.
    prose, _, _ = text.partition("```")
    assert "@all" not in prose
    assert "<b>" not in prose


def test_the_page_shows_it_as_text(folder: Path) -> None:
    page = (folder / "github" / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in re.sub(r"<b>ev\[red\]il", "", page)
    assert not set(page) & set("\x1b\x07\u202e\ud800")
    assert r"\x1b[35;45mEVIL" in page


def test_junit_is_xml_and_shows_it_as_text(folder: Path) -> None:
    text = (folder / "github" / "junit.xml").read_text(encoding="utf-8")
    for case in ElementTree.fromstring(text).iter("testcase"):
        for element in case.iter():
            for value in (*element.attrib.values(), element.text or ""):
                assert all(line.isprintable() for line in value.split("\n"))
                assert not any(line.strip().startswith("::") for line in value.split("\n"))
        assert "PWN" in (case.get("name") or "")


def test_json_keeps_it_as_it_is(folder: Path) -> None:
    for file in (folder / "github").rglob("*.json"):
        json.loads(file.read_bytes())
    leaks, raises = read_result(folder / "github").cells
    assert any(m.path == TEXT for m in leaks.metrics)
    assert "\x1b]0;pwned\x07" in raises.error
    assert "\ud800" in raises.error


def test_pictures_are_drawn_with_it(folder: Path) -> None:
    plots = folder / "github" / "plots"
    assert list(plots.glob("*.png"))
    for file in plots.glob("*.svg"):
        ElementTree.fromstring(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", ["compare", "history"])
def test_what_reads_results_shows_it_as_text(folder: Path, command: str) -> None:
    folders = ("github", "github") if command == "compare" else ("github",)
    done = leakbench(command, *folders, "-o", command, cwd=folder)
    assert done.returncode == 0, done.stderr
    check_text(done.stdout)
    for file in (folder / command).iterdir():
        if file.suffix in (".md", ".html", ".json"):
            text = file.read_text(encoding="utf-8")
            assert not set(text) & set("\x1b\x07\u202e")


def in_a_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Call the command line in a terminal and return its status and all that was shown."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "leakbench", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not more:
                break
            shown += more
        status = process.wait(60)
    os.close(ours)
    return status, shown.decode("utf-8")
