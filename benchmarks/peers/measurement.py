"""One tool on one workload, in a process of its own that is started for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.peers.ours import LEAKBENCH
from benchmarks.peers.tools import PEERS, Tool
from benchmarks.peers.workloads import ROOT, Stream, resolve
from leakbench.errors import ProvisionError
from leakbench.runner.process import worker_environment
from leakbench.subject.environments import cache_folder, make_folder, run_pip
from leakbench.subject.loading import load_subject

TOOLS: Final[Mapping[str, Tool]] = {**PEERS, "leakbench": LEAKBENCH}
LIMIT_SECONDS: Final = 1800.0
"""Many times what any of them takes; a tool that waits for ever is left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one tool said of one workload."""

    tool: str
    workload: str
    leaks: bool | None = None
    """None where it gave no answer."""
    saw: str
    cost: float | None = None
    """Processor time beside the bare loop's over as many chunks."""
    chunks: int = 0


def measure(tool: str, workload: str, chunks: int) -> Answer:
    """Return the answer of a process started for it, or why there is none."""
    try:
        environment = environment_of(tool, workload)
    except ProvisionError as error:
        return Answer(tool=tool, workload=workload, saw=f"not installed: {error}")
    with tempfile.TemporaryDirectory(prefix="leakbench-peers-") as scratch:
        # The tools and the model print what they like, so the answer has a file of its own.
        answer, log = Path(scratch) / "answer.json", Path(scratch) / "log.txt"
        command = [sys.executable, "-m", __name__, tool, workload, str(chunks), str(answer)]
        with log.open("wb") as stream:
            try:
                subprocess.run(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    timeout=LIMIT_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                saw = f"stopped after {LIMIT_SECONDS:g} s"
                return Answer(tool=tool, workload=workload, saw=saw)
        if answer.exists():
            return Answer(**json.loads(answer.read_text(encoding="utf-8")))
        last = " ".join(log.read_text(errors="replace").strip().splitlines()[-1:])
        return Answer(tool=tool, workload=workload, saw=f"failed: {last:.160}")


def environment_of(tool: str, workload: str) -> dict[str, str]:
    """Return what a worker's environment would be, with the tool first on the import path."""
    environment = {**worker_environment({}, path=resolve(workload).path), **TOOLS[tool].environment}
    folder = install(tool)
    if folder is not None:
        environment["PYTHONPATH"] = os.pathsep.join([str(folder), environment["PYTHONPATH"]])
    return environment


def install(tool: str) -> Path | None:
    """Return a folder with the tool alone, below the cache; None where it needs none."""
    requirements = TOOLS[tool].requirements
    if not requirements:
        return None
    label = f"{requirements[0]}-{sys.implementation.cache_tag}"
    log = cache_folder() / "logs" / f"{label}.log"

    def build(scratch: Path) -> None:
        run_pip(["install", "--target", str(scratch), *requirements], what=tool, log=log)

    return make_folder(cache_folder() / "peers" / label, build)


def find(tool: str, workload: str, chunks: int) -> Answer:
    """Run the tool between two bare loops: one to settle, one to compare with."""
    subject = resolve(workload)
    stream = Stream(workload, load_subject(subject.factory, subject.options))
    stream.run(chunks)
    finding = TOOLS[tool].find(stream, chunks)
    bare = stream.run(finding.chunks)
    return Answer(
        tool=tool,
        workload=workload,
        leaks=finding.leaks,
        saw=finding.saw,
        cost=finding.seconds / bare,
        chunks=finding.chunks,
    )


if __name__ == "__main__":
    tool, workload, chunks, destination = sys.argv[1:]
    try:
        found = find(tool, workload, int(chunks))
    except Exception:
        # Its last line is the reason that the report gives.
        traceback.print_exc()
        sys.exit(1)
    Path(destination).write_text(json.dumps(asdict(found)), encoding="utf-8")
