"""What workers get of the caller's environment: said by name, and no value of a secret kept."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from leakbench.errors import ConfigError
from leakbench.plan.config import load_config
from leakbench.plan.variables import parse_variable, values_of

SHOWS = """
import os
from leakbench.controls.energy_vad import EnergyVad

class Shows(EnergyVad):
    def start(self):
        print("ENV", {n: os.environ.get(n) for n in ("MY_TOKEN", "MODE", "HF_HOME", "SECRET")})
        super().start()

    def roots(self):
        return {"levels": self.levels}
"""


@pytest.mark.parametrize("text", ["HF_TOKEN", "MODE=fast", "EMPTY=", "URL=a=b"])
def test_a_name_or_a_value_is_taken(text: str) -> None:
    assert parse_variable(text) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "NAME=VALUE"),
        ("=x", "NAME=VALUE"),
        ("A B", "NAME=VALUE"),
        ("PYTHONPATH=x", "every"),
        ("API_KEY=x", "say API_KEY alone"),
    ],
)
def test_anything_else_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_variable(text)


def test_a_name_is_worth_what_it_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "s3cret")
    monkeypatch.delenv("NOT_HERE", raising=False)
    assert values_of(("MY_TOKEN", "MODE=fast", "NOT_HERE")) == {
        "MY_TOKEN": "s3cret",
        "MODE": "fast",
    }


def test_a_configuration_names_them_in_a_table(tmp_path: Path) -> None:
    file = tmp_path / "leakbench.toml"
    file.write_text('[env]\nMODE = "fast"\nMY_TOKEN = true\n')
    assert load_config(file).variables == ("MODE=fast", "MY_TOKEN")
    file.write_text("[env]\nMODE = 3\n")
    with pytest.raises(ConfigError, match=r"env\.MODE must be text, got 3"):
        load_config(file)
    file.write_text('[env]\n"no name" = "x"\n')
    with pytest.raises(ConfigError, match="expected NAME"):
        load_config(file)


def test_a_worker_has_them_and_no_file_has_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shows.py").write_text(SHOWS)
    for name, value in (("MY_TOKEN", "s3cret"), ("HF_HOME", "/models"), ("SECRET", "other")):
        monkeypatch.setenv(name, value)
    command = [
        *(sys.executable, "-m", "leakbench", "run", "--subject", "shows.py:Shows"),
        *("--scenario", "silence", "--audio", "30s", "--output", "o"),
        *("--env", "MY_TOKEN", "--env", "MODE=fast", "--no-explain"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 3), done.stderr
    (log,) = tmp_path.glob("o/cells/*/r0/worker.log")
    shown = next(line for line in log.read_text().splitlines() if line.startswith("ENV"))
    assert "'MY_TOKEN': 's3cret', 'MODE': 'fast', 'HF_HOME': '/models', 'SECRET': None" in shown
    assert json.loads((tmp_path / "o" / "run.json").read_text())["variables"] == [
        "MY_TOKEN",
        "MODE=fast",
    ]
    for file in tmp_path.rglob("*"):
        if file.is_file() and file != log:
            assert b"s3cret" not in file.read_bytes(), file
