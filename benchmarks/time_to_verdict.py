"""How long from the command to the verdict, start-up included.

    python benchmarks/time_to_verdict.py [--runs 5]

Times ``leakbench run --subject original --scenario silence --expect leak`` as a user calls
it, with environments in place, and says what part of it is the subject's own import.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET_SECONDS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    seconds, driven = [], []
    for _ in range(arguments.runs):
        with tempfile.TemporaryDirectory() as scratch:
            output = Path(scratch) / "run"
            began = time.perf_counter()
            subprocess.run(
                [
                    *(sys.executable, "-m", "leakbench", "run", "--subject", "original"),
                    *("--scenario", "silence", "--expect", "leak", "--output", str(output)),
                ],
                check=True,
                capture_output=True,
            )
            seconds.append(time.perf_counter() - began)
            cell = json.loads((output / "result.json").read_text())["cells"][0]
            driven.append(cell["audio_seconds"])
    print(
        f"command to verdict: median {statistics.median(seconds):.1f} s, "
        f"range {min(seconds):.1f} to {max(seconds):.1f} s over {len(seconds)} runs "
        f"(target {TARGET_SECONDS:g} s), after {statistics.median(driven):.0f} s of audio"
    )


if __name__ == "__main__":
    main()
