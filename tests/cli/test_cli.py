"""The command line as users call it: exit statuses, one clear line, nothing lost."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

MISBEHAVING = Path(__file__).parents[1] / "misbehaving.py"


def call(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leakbench", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def run(cwd: Path, subject: str, *more: str, scenario: str = "silence") -> tuple[int, str]:
    done = call(
        "run", "--subject", subject, "--scenario", scenario, "--output", "out", *more, cwd=cwd
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_flat_subject_exits_0_and_leaves_a_result_and_plots(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded")
    assert status == 0, output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["verdict"] == "flat"
    assert list((tmp_path / "out" / "plots").glob("*.png"))
    assert list((tmp_path / "out" / "plots").glob("*.svg"))
    assert "audio-hours" in output


@pytest.mark.parametrize(("option", "clears"), [((), True), (("--no-clear-caches",), False)])
def test_a_worker_is_told_whether_to_clear_caches(
    tmp_path: Path, option: tuple[str, ...], clears: bool
) -> None:
    run(tmp_path, "leakbench.controls:bounded", "--audio", "1m", *option)
    (request,) = (tmp_path / "out").glob("cells/*/r0/cell.json")
    assert json.loads(request.read_text())["clear_caches"] is clears
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["settings"]["clear_caches"] is clears


def test_a_leak_exits_1_and_names_the_path_and_the_rate(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:leaky")
    assert status == 1
    assert "retained" in output
    assert json.loads((tmp_path / "out" / "result.json").read_text())["verdict"] == "leak"


def test_an_expected_leak_exits_0_and_one_elsewhere_exits_1(tmp_path: Path) -> None:
    subject = "leakbench.controls:leaky"
    assert run(tmp_path, subject, "--expect", "leak", "--leaks-in", "retained")[0] == 0
    (tmp_path / "out").rename(tmp_path / "first")
    status, output = run(tmp_path, subject, "--expect", "leak", "--leaks-in", "stats.decibel")
    assert status == 1
    assert "expected a leak in stats.decibel" in output


def test_a_control_that_does_not_leak_exits_1(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", "--expect", "leak")
    assert status == 1
    assert "a leak was expected and not found" in output


def test_an_undecided_run_exits_3(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", "--audio", "24s")
    assert status == 3
    # It says what would decide it, and that does.
    typed = shlex.split(output.split("`")[1])
    assert typed[0] == "leakbench"
    (tmp_path / "out").rename(tmp_path / "first")
    assert call(*typed[1:], cwd=tmp_path).returncode == 0


def test_too_little_audio_to_measure_anything_says_how_much_there_must_be(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", "--audio", "5s")
    assert status == 3
    assert "6 s of audio were driven, the first 12 s of which are warm-up" in output
    assert "--audio 10m" in output


def test_the_report_is_rebuilt_from_the_samples(tmp_path: Path) -> None:
    run(tmp_path, "leakbench.controls:leaky")
    before = json.loads((tmp_path / "out" / "result.json").read_text())
    (tmp_path / "out" / "result.json").unlink()
    done = call("report", "out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    after = json.loads((tmp_path / "out" / "result.json").read_text())
    assert after["cells"] == before["cells"]


def test_what_is_listed_can_be_driven(tmp_path: Path) -> None:
    subjects = call("list", "subjects", cwd=tmp_path)
    assert subjects.returncode == 0
    assert "leakbench.controls:leaky" in subjects.stdout
    scenarios = call("list", "scenarios", cwd=tmp_path)
    assert "silence" in scenarios.stdout
    assert "reconnect" in scenarios.stdout


BAD_SUBJECTS = {
    "unknown": ("nosuchthing", 2, "expected"),
    "unknown module": ("nosuchmodule:Vad", 2, "no such module"),
    "unknown name": (f"{MISBEHAVING}:Nothing", 2, "has no 'Nothing'"),
    "missing file": ("nowhere.py:Vad", 2, "no file nowhere.py"),
    "raises": (f"{MISBEHAVING}:Raises", 4, "ValueError: the model fell over"),
    "killed": (f"{MISBEHAVING}:IsKilled", 4, "SIGKILL"),
    "nonsense": (f"{MISBEHAVING}:ReturnsNonsense", 4, "must return a list"),
}


@pytest.mark.parametrize("case", BAD_SUBJECTS)
def test_a_bad_subject_is_one_clear_line(tmp_path: Path, case: str) -> None:
    subject, expected, says = BAD_SUBJECTS[case]
    status, output = run(tmp_path, subject, "--audio", "10m")
    assert status == expected, output
    assert says in output


def test_an_error_names_the_log_of_its_worker(tmp_path: Path) -> None:
    _, output = run(tmp_path, f"{MISBEHAVING}:Raises", "--audio", "10m")
    (line,) = [line for line in output.splitlines() if line.startswith("see ")]
    assert "in go_wrong" in Path(line.removeprefix("see ")).read_text()


def test_a_subject_that_hangs_exits_4_and_keeps_its_samples(tmp_path: Path) -> None:
    status, output = run(tmp_path, f"{MISBEHAVING}:Hangs", "--chunk-limit", "1s")
    assert status == 4
    assert "took longer than 1 s" in output
    assert next((tmp_path / "out").rglob("trace.jsonl")).read_text().count("\n") > 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--chunk-ms", "0"], "0"),
        (["--chunk-ms", "-10"], "-10"),
        (["--chunk-ms", "70"], "70 ms"),
        (["--audio", "soon"], "duration must be"),
        (["--memory-limit", "lots"], "lots"),
        (["--memory-limit", "20"], "size must be a positive amount of bytes, such as 512 MiB"),
        (["--budget", "64 KiB"], "budget must read"),
        (["--budget", "x:nothing=1 B/h"], "metric must be one of"),
        (["--no-such-option"], "no-such-option"),
        (["--leaks-in", "x"], "--expect leak"),
    ],
)
def test_a_bad_option_exits_2_with_one_clear_line(
    tmp_path: Path, options: list[str], says: str
) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", *options)
    assert status == 2
    assert says in output
    assert output.startswith("leakbench: ")
    assert output.count("\n") == 1


def test_an_unknown_scenario_exits_2_and_lists_what_there_is(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", scenario="silense")
    assert status == 2
    assert "silence" in output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("period_seconds = ", "not valid TOML"),
        ("perid_seconds = 6.0", "perid_seconds"),
        ("period_seconds = -1", "period_seconds"),
    ],
)
def test_a_bad_scenario_file_exits_2(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "night.toml").write_text(text)
    status, output = run(tmp_path, "leakbench.controls:bounded", scenario="night.toml")
    assert status == 2
    assert says in output
    assert "night.toml" in output


def _write_nan(path: Path) -> None:
    samples = np.zeros(16000, dtype=np.float32)
    samples[100] = np.nan
    soundfile.write(path, samples, 16000, subtype="FLOAT")


BAD_RECORDINGS = {
    "missing": (lambda path: None, "missing.wav"),
    "not audio": (lambda path: path.write_text("hello"), "missing.wav"),
    "empty folder": (lambda path: path.mkdir(), "missing.wav"),
    "NaN": (_write_nan, "missing.wav"),
}


@pytest.mark.parametrize("case", BAD_RECORDINGS)
def test_a_bad_recording_exits_2(tmp_path: Path, case: str) -> None:
    make, says = BAD_RECORDINGS[case]
    make(tmp_path / "missing.wav")
    status, output = run(
        tmp_path,
        "leakbench.controls:bounded",
        "--recordings",
        "missing.wav",
        scenario="recorded",
    )
    assert status == 2, output
    assert says in output


def test_recorded_audio_without_a_recording_exits_2(tmp_path: Path) -> None:
    status, output = run(tmp_path, "leakbench.controls:bounded", scenario="recorded")
    assert status == 2
    assert "--recordings" in output


def test_stereo_at_8_khz_works(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    speech = np.where(np.arange(16000)[:, None] < 8000, 0.2, 0.0) * rng.standard_normal((16000, 2))
    soundfile.write(tmp_path / "stereo.wav", speech, 8000)
    status, output = run(
        tmp_path,
        "leakbench.controls:bounded",
        "--recordings",
        "stereo.wav",
        scenario="recorded",
    )
    assert status == 0, output


def test_an_output_that_cannot_be_written_exits_2(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    status, output = run(tmp_path, "leakbench.controls:bounded")
    assert status == 2
    assert "out" in output


def test_a_run_is_never_written_over(tmp_path: Path) -> None:
    assert run(tmp_path, "leakbench.controls:bounded")[0] == 0
    status, output = run(tmp_path, "leakbench.controls:bounded")
    assert status == 2
    assert "already holds a run" in output


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "leakbench.toml"),
        ("[[cell]]\nsubject = 3\nscenario = 'silence'", "cell[1].subject must be"),
        ("[[cell]]\nscenario = 'silence'", "cell[1].subject: is missing"),
        ("[[cell]]\nsubject='a'\nscenario='silence'\nexpects='leak'", "did you mean expect"),
        ("[[budget]]\nlimit = '64'", "budget[1].limit"),
        ("[gate]\njobs = 0", "gate.jobs must be"),
        ("", "a gate without cells"),
    ],
)
def test_a_bad_configuration_exits_2(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "leakbench.toml").write_text(text)
    done = call("gate", cwd=tmp_path)
    assert done.returncode == 2, done.stdout
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_gate_passes_when_every_cell_is_as_it_must_be(tmp_path: Path) -> None:
    (tmp_path / "leakbench.toml").write_text(
        """
        [gate]
        jobs = 2
        output = "gate"
        [[cell]]
        subject = "leakbench.controls:leaky"
        scenario = "silence"
        expect = "leak"
        leaks_in = ["retained"]
        [[cell]]
        subject = ["leakbench.controls:bounded", "leakbench.controls:filling"]
        scenario = ["silence", "alternating"]
        parity = "require"
        """
    )
    done = call("gate", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "gate" / "result.json").read_text())
    assert result["verdict"] == "flat"
    assert [cell["as_expected"] for cell in result["cells"]] == [True] * 5


def test_a_known_residual_is_granted_its_own_budget_and_no_more(tmp_path: Path) -> None:
    subject = "leakbench.controls:leaky_segments"
    generous = ["--budget", "retained=1 KiB/segment", "--budget", "retained=1 element/segment"]
    assert run(tmp_path, subject, *generous, scenario="bursts")[0] == 0
    (tmp_path / "out").rename(tmp_path / "first")
    tight = ["--budget", "retained=16 B/segment", "--budget", "retained=1 element/segment"]
    assert run(tmp_path, subject, *tight, scenario="bursts")[0] == 1


def test_a_comparison_exits_1_when_the_later_run_leaks(tmp_path: Path) -> None:
    for name, subject in (("before", "bounded"), ("after", "leaky")):
        run(tmp_path, f"leakbench.controls:{subject}")
        (tmp_path / "out").rename(tmp_path / name)
    # The subject's name differs, the cell is the same question asked of a changed one.
    worse = call("compare", "before", "after", "-o", "worse", cwd=tmp_path)
    assert worse.returncode == 1, worse.stdout + worse.stderr
    assert "retained" in worse.stdout
    better = call("compare", "after", "before", "-o", "better", cwd=tmp_path)
    assert better.returncode == 0, better.stdout + better.stderr
    assert list((tmp_path / "better").glob("*.html"))
    assert call("compare", "after", cwd=tmp_path).returncode == 2
    assert call("compare", "after", "nowhere", cwd=tmp_path).returncode == 2


def test_history_is_told_of_every_run_below_a_folder(tmp_path: Path) -> None:
    for name in ("monday", "tuesday"):
        run(tmp_path, "leakbench.controls:leaky")
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "out").rename(tmp_path / "runs" / name)
    done = call("history", "runs", "-o", "history", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "monday" in done.stdout
    assert "tuesday" in done.stdout
    (tmp_path / "empty").mkdir()
    assert call("history", "empty", cwd=tmp_path).returncode == 2


def test_github_gets_a_summary_and_an_annotation_with_path_rate_and_budget(tmp_path: Path) -> None:
    done = call(
        "run",
        *("--subject", "leakbench.controls:leaky", "--scenario", "silence", "--output", "out"),
        cwd=tmp_path,
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"),
    )
    annotation = next(line for line in done.stdout.splitlines() if line.startswith("::error"))
    assert "retained" in annotation
    assert "/h" in annotation
    assert "leakbench.controls:leaky" in (tmp_path / "summary.md").read_text()
