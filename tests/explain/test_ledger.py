"""The ledger in a process of its own: its hook cannot be taken away, and so must do nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BEGIN = """
import json, os, sys, threading, tempfile
from pathlib import Path
from leakbench.explain import ledger as module
from leakbench.explain.ledger import Ledger

def sizes(ledger):
    return {type(s).__name__: len(s._openings) for s in ledger._shelves}

def churn(times):
    for _ in range(times):
        os.close(os.open("/dev/null", os.O_RDONLY))
        descriptor, path = tempfile.mkstemp()
        os.close(descriptor)
        os.unlink(path)

ledger = Ledger(("descriptors", "threads", "children"), Path(tempfile.gettempdir()))
"""


def run(code: str, tmp_path: Path) -> Any:
    script = tmp_path / "subject.py"
    script.write_text(BEGIN + code)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    return json.loads(done.stdout)


def test_it_remembers_no_more_than_is_open(tmp_path: Path) -> None:
    code = """
ledger.begin()
churn(2000)
kept = os.open("/dev/null", os.O_RDONLY)
ledger.unwatch()
open_now = ledger.kept()["descriptors"]
print(json.dumps([sizes(ledger), [k.name for k in open_now if k.place]]))
"""
    counts, opened = run(code, tmp_path)
    assert counts == {"Descriptors": 1, "Threads": 0, "Children": 0, "TempFiles": 0, "Mappings": 0}
    assert opened == ["/dev/null"]


def test_once_ended_its_hook_does_nothing(tmp_path: Path) -> None:
    code = """
ledger.begin()
churn(10)
ledger.end()
start = threading._start_new_thread
before = sys.getallocatedblocks()
churn(3)
blocks = sys.getallocatedblocks()
churn(3000)
grown = sys.getallocatedblocks() - blocks
kept = os.open("/dev/null", os.O_RDONLY)
print(json.dumps([grown, sizes(ledger)["Descriptors"], module._listener is None,
                  sys.getprofile() is None, threading.getprofile() is None,
                  start.__module__]))
"""
    grown, openings, is_deaf, has_no_profile, has_no_thread_profile, home = run(code, tmp_path)
    assert grown < 50
    assert openings == 0
    assert is_deaf
    assert has_no_profile
    assert has_no_thread_profile
    assert home == "_thread"


def test_a_forked_copy_of_the_process_notes_nothing_and_goes_on(tmp_path: Path) -> None:
    code = """
ledger.begin()
read, write = os.pipe()
if os.fork() == 0:
    os.open("/dev/null", os.O_RDONLY)
    os.write(write, json.dumps(sizes(ledger)["Descriptors"]).encode())
    os._exit(0)
os.wait()
print(json.dumps([json.loads(os.read(read, 100)), sizes(ledger)["Descriptors"]]))
"""
    in_child, here = run(code, tmp_path)
    assert in_child == here == 2
