"""Processes below the subject's own, which multiply or grow by themselves; and twins."""

import multiprocessing
import subprocess
import sys

from base import Kind

KEPT = []
KEPT_BYTES = 40_960
"""What each chunk leaves in a child that grows."""

# Every variable holds a copy. What is read is short: a shell reads it a byte at a time.
SHELL = """
kept=xxxxxxxxxx
while [ ${#kept} -lt 40960 ]; do kept=$kept$kept; done
while read -r line; do number=$((number + 1)); eval "kept$number=\\$kept"; done
"""
PYTHON = """
import sys
for line in sys.stdin:
    current = bytearray(40960)
"""


class WithChild(Kind):
    """Hands each chunk to a program."""

    program = ("true",)

    def set_up(self):
        self.child = subprocess.Popen(self.program, stdin=subprocess.PIPE, text=True)

    def on_chunk(self, samples):
        self.child.stdin.write("chunk\n")
        self.child.stdin.flush()

    def close(self):
        self.child.kill()
        self.child.wait()


class GrowingShell(WithChild):
    program = ("sh", "-c", SHELL)


class SteadyChild(WithChild):
    program = (sys.executable, "-c", PYTHON)


def serve(chunks, chunk_sink, keeps):
    chunk_sink.close()  # the parent's end, so that its end is seen
    kept = []
    try:
        while chunks.recv_bytes():
            kept.append(bytearray(KEPT_BYTES))
            if not keeps:
                kept.clear()
    except EOFError:
        pass


class GrowingWorker(Kind):
    """A copy of this process, forked, that gets every chunk."""

    keeps = True

    def set_up(self):
        fork = multiprocessing.get_context("fork")
        chunks, self.chunk_sink = fork.Pipe(duplex=False)
        self.worker = fork.Process(target=serve, args=(chunks, self.chunk_sink, self.keeps))
        self.worker.daemon = True
        self.worker.start()

    def on_chunk(self, samples):
        self.chunk_sink.send_bytes(b"chunk")

    def close(self):
        self.worker.kill()
        self.worker.join()


class SteadyWorker(GrowingWorker):
    keeps = False


class Grandchildren(Kind):
    """A shell that runs two programs, which end with the pipe they read."""

    def on_segment(self):
        KEPT.append(subprocess.Popen(["sh", "-c", "cat | cat"], stdin=subprocess.PIPE))

    def close(self):
        for child in KEPT:
            child.communicate()
