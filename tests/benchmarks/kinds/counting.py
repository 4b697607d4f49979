"""Feeds kinds a few chunks each, in fresh processes, and counts what they hold by other means.

Run as a script, with ``PYTHONMALLOC=malloc`` so that glibc counts all of the heap, and without the
cache of freed chunks of each thread, which it counts as in use: reads cases as JSON from standard
input, and writes for each what was counted, by name. Nothing of the harness measures here.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import io
import json
import os
import sys
import tempfile
import time
import traceback
import types
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

CHUNK = 9600
"""Samples of 600 ms."""
SPEECH_CHUNKS = {
    "alternating": (*[True] * 5, *[False] * 5),
    "reconnect": (False, True, True, True, *[False] * 4),
}
"""Which chunks of a period are speech, as in the scenarios of these names."""
LEAK_PERIODS = (20, 20)
"""Periods before each count of what leaks; in the first, tables and buffers reach their size."""
WOBBLING_PERIODS = (20, 300)
"""The same of what leaks below a wobble, for the leak to stand out."""
BOUNDED_PERIODS = (60, *[2] * 12)
"""The same of what is bounded: when the cache of ``re`` is full, and what loads late has loaded."""
MOST_DESCRIPTORS = 200
PROGRAM = (type, types.ModuleType, types.FunctionType)
ALIVE: list[object] = []
"""To the end of the process: torch releases a long graph that Python has walked by recursion."""


class MallInfo2(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = MallInfo2


def main() -> None:
    cases = json.load(sys.stdin)
    for name in sorted({Path(case["file"]).stem for case in cases}):
        importlib.import_module(name)
    if any(case["torch"] for case in cases):
        import torch  # noqa: F401 - once, for all that are forked
    for case in cases:
        print(json.dumps({"name": case["name"], **count_in_a_fork(case)}), flush=True)


def count_in_a_fork(case: dict[str, Any]) -> dict[str, Any]:
    """Return the counts of a case, or the error it ended with."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        os.close(reader)
        with os.fdopen(writer, "w") as sink:
            try:
                json.dump({"counts": count(case)}, sink)
            except BaseException:
                json.dump({"error": traceback.format_exc()}, sink)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as source:
        answer: dict[str, Any] = json.load(source)
    os.waitpid(pid, 0)
    return answer


def count(case: dict[str, Any]) -> list[dict[str, float]]:
    """Return what is held after each of a few stretches of audio."""
    rows: list[array[float]] = []
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        subject = getattr(sys.modules[Path(case["file"]).stem], case["name"])()
        ALIVE.append(subject)
        try:
            drive = periods(subject, case["scenario"])
            for _ in range(case["onset_chunks"]):
                next(drive)
            stretches = LEAK_PERIODS if case["leaks"] else BOUNDED_PERIODS
            stretches = WOBBLING_PERIODS if case["wobble"] else stretches
            names = tuple(look(subject, case, Path(folder)))
            # What is kept of a look is there before the first: it is no growth of its own.
            rows = [array("d", bytes(8 * len(names))) for _ in stretches]
            for row, number in zip(rows, stretches, strict=True):
                for _ in range(number * len(SPEECH_CHUNKS[case["scenario"]])):
                    next(drive)
                for index, value in enumerate(look(subject, case, Path(folder)).values()):
                    row[index] = value
        finally:
            subject.close()
    return [dict(zip(names, row, strict=True)) for row in rows]


def periods(subject: Any, scenario: str) -> Iterator[None]:
    """Feed a chunk a step, for ever."""
    noise = np.random.default_rng(0).standard_normal(CHUNK).astype(np.float32)
    speech, silence = noise * 0.07, noise * 1e-4
    is_speech = SPEECH_CHUNKS[scenario]
    subject.start()
    while True:
        for index, speaks in enumerate(is_speech):
            ends = scenario == "reconnect" and index == len(is_speech) - 1
            subject.feed(speech if speaks else silence, ends)
            if ends:
                subject.start()
            yield


def look(subject: Any, case: dict[str, Any], folder: Path) -> dict[str, float]:
    """Return everything that may grow, as of now."""
    gc.collect()
    sys._clear_type_cache()
    process = psutil.Process()
    children = wait_for_sleep(process.children(recursive=True))
    files = [Path(above, name) for above, _, names in os.walk(folder) for name in names]
    folders = [name for _, names, _ in os.walk(folder) for name in names]
    memory = process.memory_info()
    info = mallinfo2()
    left = sum(map(shared_file_bytes, getattr(subject, "names", ())))
    counts = {
        "chunk": subject.chunks,
        "segment": subject.segments,
        "stream": subject.streams,
        "heap_bytes": info.uordblks + info.hblkhd,
        "mapped_bytes": memory.data,
        "shared_bytes": memory.shared + left,
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "children": len(children),
        "children_bytes": sum(map(private_bytes, children)),
        "temp_files": len(files) + len(folders),
        "temp_bytes": sum(file.lstat().st_blocks * 512 for file in files) + nameless_bytes(),
        **count_objects(subject, case["path"]),
    }
    if case["is_timed"]:
        counts["now_seconds"], counts["later_seconds"] = (time_later(subject, n) for n in (0, 2))
    return counts


def wait_for_sleep(children: list[psutil.Process]) -> list[psutil.Process]:
    """Return once each child waits for input: it has then read what there was."""
    waiting = (psutil.STATUS_SLEEPING, psutil.STATUS_ZOMBIE)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(c.status() not in waiting for c in children):
        time.sleep(0.02)
    return children


def private_bytes(child: psutil.Process) -> int:
    try:
        return int(child.memory_full_info().uss)
    except psutil.Error:
        return 0


def shared_file_bytes(name: str) -> int:
    file = Path("/dev/shm", name)
    return file.stat().st_size if file.exists() else 0


def nameless_bytes() -> int:
    """Return the bytes of open files that no folder names."""
    found = {}
    for descriptor in range(MOST_DESCRIPTORS):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        if status.st_nlink == 0:
            found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(found.values())


def count_objects(subject: Any, path: str) -> dict[str, float]:
    """Return the elements at a path, and the bytes below it."""
    if path == "process":
        return {"python_bytes": weight(subject.x)}
    found: list[Any] = [subject.roots()[path.partition(".")[0]]]
    for step in path.split(".")[1:]:
        name, is_each, _ = step.partition("[")
        found = [o[name] if isinstance(o, dict) else getattr(o, name) for o in found]
        if is_each:
            found = [item for o in found for item in (o.values() if isinstance(o, dict) else o)]
    return {
        "elements": sum(map(length, found)),
        "python_bytes": sum(map(weight, found)),
    }


def weight(obj: Any) -> int:
    """Return the bytes of an object and of what it refers to."""
    if isinstance(obj, io.IOBase) or is_graph(obj):
        return length(obj)  # of these, the garbage collector sees nothing
    seen: dict[int, int] = {}
    waiting = [obj]
    while waiting:
        held = waiting.pop()
        if id(held) not in seen and not isinstance(held, PROGRAM):
            seen[id(held)] = sys.getsizeof(held)
            waiting += gc.get_referents(held)
    return sum(seen.values())


def is_graph(obj: Any) -> bool:
    return hasattr(obj, "next_functions")


def length(obj: Any) -> int:
    if isinstance(obj, int):
        return (obj.bit_length() + 7) // 8
    if isinstance(obj, io.IOBase):
        return obj.tell()
    if is_graph(obj):
        return count_nodes(obj)
    return 0 if obj is None else len(obj)


def count_nodes(node: Any) -> int:
    seen, waiting = set(), [node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            waiting += [below for below, _ in node.next_functions]
    return len(seen)


def time_later(subject: Any, tens: int) -> float:
    """Return the least processor time of a chunk that much further into the stream."""
    here, subject.chunks = subject.chunks, subject.chunks * 10**tens
    silence = np.zeros(CHUNK, dtype=np.float32)
    times = []
    for _ in range(7):
        began = time.process_time()
        subject.on_chunk(silence)
        times.append(time.process_time() - began)
    subject.chunks = here
    return min(times)


if __name__ == "__main__":
    main()
