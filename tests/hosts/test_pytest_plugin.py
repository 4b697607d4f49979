"""The plugin as a user's suite meets it, in a pytest of its own."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# The inner runs happen in this process and forget what they import, which numpy does not bear.
import leakbench.hosts.library
import leakbench.report.folder  # noqa: F401

pytest_plugins = ["pytester"]

CONFIGURATION = """
[pytest]
addopts = --strict-markers
filterwarnings = error
"""


@pytest.fixture(autouse=True)
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    pytester.makefile(".ini", pytest=CONFIGURATION)
    # Only the plugin under test: whatever else is installed takes seconds to load.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest("-p", "leakbench.hosts.pytest_plugin", *options)


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    entries = pyproject["project"]["entry-points"]["pytest11"]
    assert entries == {"leakbench": "leakbench.hosts.pytest_plugin"}


def test_a_flat_subject_passes_and_a_leaky_one_fails_with_limit_and_plot(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest
        from leakbench.controls import EnergyVad

        class Leaky(EnergyVad):
            def __init__(self):
                super().__init__()
                self.history = []
            def feed(self, samples, is_final):
                self.history.append(float(len(self.history)) + 0.5)
                return super().feed(samples, is_final)
            def roots(self):
                return {"history": self.history}

        @pytest.mark.leak(scenario="silence", audio="2m")
        def test_bounded():
            return "leakbench.controls:bounded"

        @pytest.mark.leak("silence", audio="2m")
        def test_leaky():
            return Leaky

        @pytest.mark.leak("silence", audio="2m", expect="leak", leaks_in=["history"])
        @pytest.mark.parametrize("subject", [Leaky])
        def test_the_control_leaks(subject):
            pass
        """
    )
    result = run(pytester, "--leakbench-output", "kept")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "leak: history *",
            "subject   *:Leaky",
            "scenario  silence, 600 ms chunks, * of audio",
            "*path *metric *observed *limit *verdict*",
            "*history *python_bytes *KiB/h *0 B/h *leak*",
            "plot  *.png",
            "samples *",
        ]
    )
    (kept,) = (pytester.path / "kept").iterdir()
    assert "test_leaky" in kept.name
    assert (kept / "result.json").is_file()
    plots = [line.split()[1] for line in result.outlines if line.startswith("plot ")]
    assert all(Path(plot).is_file() for plot in plots)
    assert plots


def test_what_cannot_be_driven_fails_with_one_line(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.leak(scenario="silense")
        def test_scenario(): return "leakbench.controls:bounded"

        @pytest.mark.leak(scenario="silence")
        def test_nothing(): pass

        @pytest.mark.leak(scenario="silence", budgets="64 KiB/h")
        def test_argument(): return "leakbench.controls:bounded"

        @pytest.mark.leak(audio="1m")
        def test_no_scenario(): return "leakbench.controls:bounded"

        @pytest.mark.leak("silence")
        def test_subject(): return lambda: None

        @pytest.mark.leak("silence")
        def test_missing(): return "no.such.module:Vad"

        @pytest.mark.leak("silence", audio="18s")
        def test_short(): return "leakbench.controls:bounded"
        """
    )
    result = run(pytester)
    result.assert_outcomes(failed=7)
    result.stdout.fnmatch_lines(
        [
            "leakbench: scenario 'silense': expected *",
            "leakbench: test_nothing: a test marked leak must return a subject*",
            "leakbench: test_argument: mark leak: unknown budgets; it takes *",
            "leakbench: test_no_scenario: mark leak: expected one scenario; it takes *",
            "leakbench: subject *<lambda>: expected a class or function at the top of a module*",
            "error: refused: no.such.module: no such module*",
            "undecided: *",
            "*raise audio=*",
        ]
    )
    assert "During handling" not in result.stdout.str()


def test_watched_objects_are_judged_at_the_end_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from collections import deque
        from leakbench.controls import EnergyVad, leaky
        import numpy as np

        CHUNK = np.zeros(9600, dtype=np.float32)

        def test_bounded(leakbench):
            vad = EnergyVad()
            leakbench.watch(vad).feed(vad.feed, CHUNK, False)

        def test_leaky(leakbench):
            vad = leaky()
            leakbench.watch(vad).feed(vad.feed, CHUNK, False, rounds=12)

        def test_by_hand(leakbench):
            cache = {}
            with leakbench.watch(cache=cache, budget="8 B/chunk") as watch:
                for index in range(40):
                    cache[index] = index
                    watch.look()

        def test_new_objects_each_time(leakbench):
            box = [deque(maxlen=3)]
            watch = leakbench.watch(ring=lambda: box[0])
            def step():
                box[0] = deque(box[0], maxlen=3)
                box[0].append(0.5)
            watch.feed(step)

        def test_too_short(leakbench):
            leakbench.watch(cache=[]).feed(list, rounds=3)

        def test_nothing(leakbench):
            with pytest.raises(Exception, match="takes something with roots"):
                leakbench.watch([])

        def test_own_failure_comes_first(leakbench):
            cache = []
            with leakbench.watch(cache=cache) as watch:
                watch.feed(cache.append, 0.5, rounds=10)
                assert False, "of the test's own"
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=3, failed=4)
    result.stdout.fnmatch_lines(
        [
            "leak after 12 rounds",
            "*retained *elements *1 elements/round *0 elements/round *leak",
            "leak after 40 rounds",
            "undecided after 3 rounds; feed more rounds of the same work",
            "*of the test's own*",
        ]
    )


def test_it_works_with_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.leak("silence", audio="4m")
        @pytest.mark.parametrize("name", ["bounded", "leaky"])
        def test_vad(name):
            return f"leakbench.controls:{name}"

        def test_cache(leakbench):
            leakbench.watch(cache=[]).feed(list)
        """
    )
    result = run(pytester, "-p", "xdist", "-n", "2")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["leak: retained *", "plot *"])
    assert list((pytester.path / ".pytest_cache/d/leakbench").iterdir())


def test_somebody_elses_bare_mark_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.leak
        def test_other():
            assert True

        @pytest.mark.leak
        def test_other_that_fails():
            assert False
        """
    )
    run(pytester).assert_outcomes(passed=1, failed=1)


def test_a_suite_that_does_not_use_it_loads_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        "import sys\n"
        "def test_nothing_was_loaded():\n"
        "    assert 'leakbench.hosts.pytest_plugin' in sys.modules\n"
        "    loaded = {name for name in sys.modules if name.startswith('leakbench.')}\n"
        "    assert loaded == {'leakbench.hosts', 'leakbench.hosts.pytest_plugin'}\n"
        "    assert not {'numpy', 'scipy', 'psutil', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "leakbench.hosts.pytest_plugin", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
