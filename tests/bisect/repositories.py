"""Small git repositories that hold a subject, leaky at some commits and bounded at others."""

import os
import subprocess
from pathlib import Path

SUBJECT = """\
from leakbench.controls import EnergyVad
from retention import keep


class Vad(EnergyVad):
    def __init__(self):
        super().__init__()
        self.kept = []

    def feed(self, samples, is_final):
        keep(self.kept, samples)
        return super().feed(samples, is_final)

    def roots(self):
        return {"kept": self.kept}
"""
BOUNDED = "def keep(kept, samples):\n    kept[:] = [samples]\n"
LEAKY = "def keep(kept, samples):\n    kept.append(samples)\n"
BROKEN = "def keep(kept, samples)\n"


def git(folder: Path, *arguments: str) -> str:
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))
    }
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def commit(folder: Path, retention: str, message: str) -> str:
    (folder / "retention.py").write_text(f"{retention}# {message}\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    return git(folder, "rev-parse", "HEAD").strip()
