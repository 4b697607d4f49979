"""Every kind, with its truth: whether it leaks, what must show it, and at which rate.

Rates are what the code of a kind says. A request of n bytes takes a chunk of n + 8 bytes of
glibc's, rounded up to 16, and above 128 KiB a mapping of whole pages with a header of 16; a Python
object of up to 512 bytes takes its size rounded up to 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEAP: Final = frozenset({"heap_bytes"})
OBJECTS: Final = frozenset({"elements", "python_bytes", "storage_bytes"})
PAGE: Final = 4096
MIB: Final = 2**20


def chunk(nbytes: int) -> int:
    """Return what glibc takes for a request."""
    return max(32, (nbytes + 8 + 15) & ~15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of growth, or a bounded twin."""

    file: str
    name: str
    """Class in the file."""
    metrics: frozenset[str] = frozenset()
    """Any of these must show the leak; empty for what does not leak."""
    path: str = "process"
    """Where; a path of an object, or the process."""
    rate: float | None = None
    """Growth each `per` in the first of `metrics` that is found; None where the code does not
    say exactly."""
    per: str = ""
    scenario: str = "alternating"
    tells: str = ""
    """Text that the explanation must hold."""

    @property
    def leaks(self) -> bool:
        """Whether it is a leak."""
        return bool(self.metrics)


def _objects(name: str, path: str, metric: str, rate: float | None, per: str, **more: str) -> Case:
    metrics = frozenset({metric})
    return Case(
        file="objects.py", name=name, metrics=metrics, path=path, rate=rate, per=per, **more
    )


def _hidden(
    name: str,
    rate: float | None = None,
    per: str = "",
    scenario: str = "alternating",
    tells: str = "",
) -> Case:
    return Case(
        file="hidden.py",
        name=name,
        metrics=HEAP,
        rate=rate,
        per=per,
        scenario=scenario,
        tells=tells,
    )


def _outside(
    name: str,
    *metrics: str,
    rate: float | None = None,
    per: str = "",
    scenario: str = "alternating",
    tells: str = "",
) -> Case:
    return Case(
        file="outside.py",
        name=name,
        metrics=frozenset(metrics),
        rate=rate,
        per=per,
        scenario=scenario,
        tells=tells,
    )


RECONNECT: Final = "reconnect"

LEAKS: Final = (
    _objects("ListOfFloats", "x.kept", "elements", 1, "chunk", tells="append"),
    _objects("DictOfKeys", "x.seen", "elements", 1, "chunk"),
    _objects("DequeWithoutEnd", "x.queue", "elements", 1, "segment", tells="append"),
    _objects("Transcript", "x.text", "elements", 12, "segment"),
    _objects("Buffer", "x.raw", "elements", 400, "chunk"),
    _objects("Arrays", "x.arrays", "elements", 1, "segment", tells="np.zeros"),
    _objects("Cycles", "x", "python_bytes", None, ""),
    _objects("BytesInMemory", "x.log", "python_bytes", 4000, "segment"),
    Case(file="objects.py", name="TextInMemory", metrics=frozenset({"python_bytes", "heap_bytes"})),
    _objects("EveryTenthSegment", "x.kept", "elements", 0.1, "segment"),
    _objects("WhileSilent", "x.kept", "elements", None, ""),
    _objects("OnFinal", "x.kept", "elements", 1, "stream", scenario=RECONNECT),
    _objects("GrowingNumber", "x.product", "elements", 30, "chunk"),
    _objects("RandomOverLeak", "x.queue", "elements", 2, "chunk"),
    _hidden("Sessions", scenario=RECONNECT, tells="SESSIONS"),
    _hidden("Cache", tells="feature"),
    _hidden("Handlers", scenario=RECONNECT),
    _hidden("Finalizers", scenario=RECONNECT),
    _hidden("Callbacks", scenario=RECONNECT),
    _hidden("Contexts"),
    _hidden("Tasks", scenario=RECONNECT),
    _hidden("Generators"),
    _hidden("Interned", tells="NAMES"),
    _hidden("Exceptions"),
    _hidden("Closures"),
    _hidden("ThreadLocal"),
    _hidden("Numbers", tells="NUMBERS"),
    _hidden("Rows"),
    _hidden("NeverDrained"),
    _hidden("AtExit", scenario=RECONNECT),
    _outside("MallocChunk", "heap_bytes", rate=chunk(200), per="chunk"),
    _outside("MallocSegment", "heap_bytes", rate=chunk(2000), per="segment"),
    _outside("MallocStream", "heap_bytes", rate=chunk(4000), per="stream", scenario=RECONNECT),
    _outside("MallocLarge", "heap_bytes", rate=-(-(400_000 + 16) // PAGE) * PAGE, per="segment"),
    _outside("SharedMapping", "shared_bytes", rate=MIB, per="segment"),
    _outside("PrivateMapping", "mapped_bytes", rate=MIB, per="segment"),
    _outside("SharedMemory", "shared_bytes", rate=MIB, per="segment"),
    _outside("Files", "descriptors", rate=1, per="segment", tells="os.open"),
    _outside("Pipes", "descriptors", rate=2, per="segment", tells="os.pipe"),
    _outside("Sockets", "descriptors", rate=1, per="stream", scenario=RECONNECT),
    _outside("Polls", "descriptors", rate=1, per="segment"),
    _outside("MemoryFile", "temp_bytes", rate=4096, per="chunk"),
    _outside("Threads", "threads", rate=1, per="stream", scenario=RECONNECT, tells="Thread"),
    _outside("Children", "children", rate=1, per="segment", tells="Popen"),
    _outside("Zombies", "children", rate=1, per="segment", tells="fork"),
    _outside("GrowingChild", "children_bytes", rate=10 * 4096, per="chunk"),
    _outside("TemporaryFiles", "temp_files", rate=1, per="segment", tells="mkstemp"),
    _outside("GrowingFile", "temp_bytes", rate=4096, per="chunk"),
    _outside("Slower", "cpu_seconds"),
    Case(file="outside.py", name="Graph", metrics=OBJECTS, path="x.h.grad_fn"),
    _outside("GraphHidden", "heap_bytes"),
)  # fmt: skip

BOUNDED: Final = (
    *(Case(file="objects.py", name=name) for name in (
        "RandomLength", "JitterBuffer", "Ring", "Vocabulary", "Pool")),
    *(Case(file="hidden.py", name=name) for name in ("CacheWithBound", "Patterns")),
    *(Case(file="hidden.py", name=name, scenario=RECONNECT) for name in (
        "SessionsDeleted", "HandlersRemoved", "TasksAwaited")),
    *(Case(file="outside.py", name=name) for name in (
        "MallocFreed", "MappingClosed", "SharedMemoryClosed", "FilesClosed", "ChildrenReaped",
        "TemporaryFilesRemoved", "SameTime", "GraphDetached")),
    Case(file="outside.py", name="ThreadsJoined", scenario=RECONNECT),
)  # fmt: skip
