"""Runs programs in an interpreter of their own: this one has threads that allocate at any time."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKER = {"MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""What the runner gives its workers."""

PRELUDE = """
import ctypes, json, mmap, os, signal, subprocess, sys, tempfile, threading, time
from pathlib import Path
import numpy as np
from leakbench.probes.process import ProcessProbe
from leakbench.probes.settling import Settling

folder = Path(tempfile.mkdtemp())
probe, settling, kept = ProcessProbe(temp_folder=folder), Settling(), []
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]


def measure():
    return probe.measure() | {"uss_bytes": probe.uss_bytes() or 0}


names = list(measure())
# Not as objects, which would be growth of our own.
rows = np.zeros((LOOKS, len(names)))
taken = np.zeros(1, dtype=int)


def keep_look(counts=1):
    settling.settle()
    figures = measure()
    for column, name in enumerate(names):
        rows[taken[0], column] = figures[name]
    taken[0] += counts


for _ in range(20):
    keep_look(counts=0)
keep_look()
"""


def output_of(program: str, **environment: str) -> str:
    """Return what a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **WORKER, **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    return done.stdout


def looks_of(*steps: str, **environment: str) -> list[dict[str, float]]:
    """Return a look at the process before the first of some steps and after each."""
    program = PRELUDE.replace("LOOKS", str(len(steps) + 1))
    for step in steps:
        program += f"{step}\nkeep_look()\n"
    program += "print(json.dumps([dict(zip(names, row)) for row in rows.tolist()]))\n"
    return json.loads(output_of(program, **environment))


def changes_of(*steps: str, **environment: str) -> list[dict[str, float]]:
    """Return what each of some steps adds to each metric."""
    looks = looks_of(*steps, **environment)
    return [
        {name: after[name] - before[name] for name in before}
        for before, after in itertools.pairwise(looks)
    ]
