"""Every kind, with its truth. Rates are what the code of a kind says."""

from __future__ import annotations

from typing import Any, Final

from cases import MIB, PAGE, Case, malloc_bytes, object_bytes

RECONNECT: Final = "reconnect"
ONSET_CHUNKS: Final = 400
_DEQUE_BLOCK_BYTES: Final = 64 * 8 + 16
"""Of 64 items, with two links (Modules/_collectionsmodule.c)."""


def _leak(file: str, name: str, *metrics: str, **more: Any) -> Case:
    # Unless more is known, the first line named must be one of the class itself.
    told = {"tells": f"{name}.", **more}
    return Case(file=f"{file}.py", name=name, metrics=frozenset(metrics), **told)


def _chunk(rate: float | None) -> dict[str, Any]:
    return {"rate": rate, "per": "chunk"}


def _segment(rate: float | None) -> dict[str, Any]:
    return {"rate": rate, "per": "segment"}


def _stream(rate: float | None = None) -> dict[str, Any]:
    return {"rate": rate, "per": "stream", "scenario": RECONNECT}


def _period(rate: float) -> dict[str, Any]:
    return {"rate": rate, "per": "period"}


_OBJECTS: Final = (
    _leak("objects", "ListOfFloats", "elements", path="x.kept", **_chunk(1), tells='"].append'),
    _leak("objects", "DictOfKeys", "elements", path="x.seen", **_chunk(1), tells='["seen"]['),
    _leak("objects", "DequeWithoutEnd", "elements", path="x.queue", **_segment(1)),
    _leak("objects", "Transcript", "elements", path="x.text", **_segment(12), tells='["text"] +='),
    _leak("objects", "TranscriptFromNothing", "elements", path="x.text", **_segment(12)),
    _leak("objects", "Attribute", "elements", path="x.session.text", **_segment(28)),
    _leak("objects", "Buffer", "elements", path="x.raw", **_chunk(400), tells='["raw"] +='),
    _leak("objects", "Arrays", "elements", path="x.arrays", **_segment(1), tells="np.zeros"),
    _leak("objects", "ObjectRows", "elements", path="x.rows", **_segment(1)),
    _leak("objects", "Mappings", "elements", path="x.maps", **_segment(1), tells="mmap.mmap"),
    _leak("objects", "Speakers", "elements", path="x.speakers[*]", **_chunk(1)),
    _leak("objects", "Cycles", "python_bytes", path="x"),
    _leak("objects", "BytesInMemory", "python_bytes", path="x.log", **_segment(4000)),
    _leak("objects", "TextInMemory", "python_bytes", "heap_bytes", path="x.log"),
    _leak("objects", "EveryTenthSegment", "elements", path="x.kept", **_segment(0.1)),
    _leak("objects", "WhileSilent", "elements", path="x.kept", **_period(5)),
    _leak("objects", "OnFinal", "elements", path="x.kept", **_stream(1)),
    _leak("objects", "GrowingNumber", "elements", path="x.product", **_chunk(30), tells="<<="),
    _leak("objects", "NumberFromOne", "elements", path="x.product", **_chunk(30), tells="<<="),
    _leak("objects", "RandomOverLeak", "elements", path="x.queue", **_chunk(2), wobble=490),
    _leak("late", "Late", "elements", path="x.kept", **_chunk(1), onset_chunks=ONSET_CHUNKS),
    _leak("late", "Residue", "elements", path="x.kept", **_chunk(1 / 50)),
)  # fmt: skip

_HIDDEN: Final = (
    _leak("hidden", "Sessions", "heap_bytes", **_stream(), tells="SESSIONS["),
    _leak("hidden", "Cache", "heap_bytes", tells="feature("),
    _leak("hidden", "Handlers", "heap_bytes", **_stream(), tells="addHandler("),
    _leak("hidden", "Finalizers", "heap_bytes", **_stream(), tells="weakref.finalize("),
    _leak("hidden", "Callbacks", "heap_bytes", **_stream()),
    _leak("hidden", "Contexts", "heap_bytes"),
    _leak("hidden", "Tasks", "heap_bytes", **_stream()),
    _leak("hidden", "Generators", "heap_bytes"),
    _leak("hidden", "Interned", "heap_bytes", tells="sys.intern("),
    _leak("hidden", "Exceptions", "heap_bytes"),
    _leak("hidden", "Closures", "heap_bytes"),
    _leak("hidden", "ThreadLocal", "heap_bytes", **_segment(object_bytes(33 + 1000) + 8)),
    _leak("hidden", "Numbers", "heap_bytes", tells="NUMBERS.extend("),
    _leak("hidden", "Rows", "heap_bytes", tells="self.database.execute("),
    _leak(
        "hidden",
        "NeverDrained",
        "heap_bytes",
        **_chunk(object_bytes(33 + 400) + malloc_bytes(_DEQUE_BLOCK_BYTES) / 64),
    ),
    _leak("hidden", "AtExit", "heap_bytes", **_stream(), tells="atexit.register("),
    _leak("services", "Warned", "heap_bytes", tells="warnings.warn("),
    _leak("services", "Loggers", "heap_bytes", **_stream(), tells="logging.getLogger("),
    _leak("services", "Classes", "heap_bytes", **_stream(), tells='type("Session"'),
    _leak("services", "Garbage", "heap_bytes"),
    _leak("services", "Resurrected", "heap_bytes", tells="bytes(3000)"),
    _leak(
        "services",
        "MethodCache",
        "heap_bytes",
        **_stream(malloc_bytes(65_536)),
        tells="np.zeros(65_536",
    ),
    _leak("services", "Doubling", "heap_bytes", tells="SEEN["),
    _leak("services", "Environment", "heap_bytes", **_stream(), tells="os.environ["),
    _leak("services", "Memo", "heap_bytes", tells="pickler.dump("),
)

_MEMORY: Final = (
    _leak("outside", "MallocChunk", "heap_bytes", **_chunk(malloc_bytes(200))),
    _leak("outside", "MallocSegment", "heap_bytes", **_segment(malloc_bytes(2000))),
    _leak("outside", "MallocStream", "heap_bytes", **_stream(malloc_bytes(4000))),
    _leak("outside", "MallocLarge", "heap_bytes", **_segment(malloc_bytes(400_000))),
    _leak("outside", "Realloc", "heap_bytes", **_chunk(PAGE), tells="LIBC.realloc("),
    _leak(
        "late",
        "LateNative",
        "heap_bytes",
        **_segment(malloc_bytes(2000)),
        onset_chunks=ONSET_CHUNKS,
    ),
    _leak("late", "EveryTenthSegmentNative", "heap_bytes", **_segment(malloc_bytes(20_000) / 10)),
    _leak("late", "WhileSilentNative", "heap_bytes", **_period(5 * malloc_bytes(1000))),
    _leak("late", "OnFinalNative", "heap_bytes", **_stream(malloc_bytes(1000))),
    _leak("outside", "SharedMapping", "shared_bytes", **_segment(MIB), tells="mmap.mmap("),
    _leak("outside", "PrivateMapping", "mapped_bytes", **_segment(MIB), tells="mmap.mmap("),
    _leak("outside", "SharedMemory", "shared_bytes", **_segment(MIB), tells="SharedMemory("),
    # No process maps it, and so no metric has its size: what shows is what keeps its names.
    _leak("files", "SharedMemoryLeft", "heap_bytes"),
)

_OPENED: Final = (
    _leak("outside", "Files", "descriptors", **_segment(1), tells="os.open("),
    _leak("outside", "Pipes", "descriptors", **_segment(2), tells="os.pipe("),
    _leak("outside", "Sockets", "descriptors", **_stream(1), tells="socket.socket("),
    _leak("outside", "Polls", "descriptors", **_segment(1), tells="select.epoll("),
    _leak("files", "Listeners", "descriptors", **_stream(2), tells="socket.socketpair("),
    _leak("files", "Unlinked", "descriptors", **_segment(1), tells="tempfile.TemporaryFile("),
    _leak("files", "FileMappings", "descriptors", **_segment(1), tells="mmap.mmap("),
    _leak("services", "EventLoops", "descriptors", **_stream(3), tells="new_event_loop("),
    _leak("services", "LogFiles", "descriptors", **_stream(1), tells="logging.FileHandler("),
    _leak("late", "LateFiles", "descriptors", **_segment(1), onset_chunks=ONSET_CHUNKS),
    _leak("outside", "MemoryFile", "temp_bytes", **_chunk(PAGE), tells=""),
    _leak("outside", "Threads", "threads", **_stream(1), tells="threading.Thread("),
    _leak("services", "Executors", "threads", **_stream(1), tells="executor.submit("),
    _leak("outside", "Children", "children", **_segment(1), tells="subprocess.Popen("),
    _leak("outside", "Zombies", "children", **_segment(1), tells="os.fork("),
    _leak("processes", "Grandchildren", "children", **_segment(3), tells="subprocess.Popen("),
    _leak("outside", "GrowingChild", "children_bytes", **_chunk(40_960), tells=""),
    _leak("processes", "GrowingShell", "children_bytes", **_chunk(40_960), tells=""),
    _leak("processes", "GrowingWorker", "children_bytes", **_chunk(40_960), tells=""),
    _leak("outside", "TemporaryFiles", "temp_files", **_segment(1), tells="tempfile.mkstemp("),
    _leak("files", "Folders", "temp_files", **_stream(1), tells="tempfile.mkdtemp("),
    _leak("outside", "GrowingFile", "temp_bytes", **_chunk(PAGE), tells=""),
    _leak("outside", "Slower", "cpu_seconds"),
)

_GRAPHS: Final = (
    _leak("outside", "Graph", "elements", "storage_bytes", path="x.h.grad_fn"),
    _leak("outside", "GraphHidden", "heap_bytes"),
    _leak("states", "Lstm", "elements", "storage_bytes", path="x.state[].grad_fn"),
    _leak("states", "Losses", "elements", path="x.losses", **_segment(1)),
)

_SILERO: Final = ("silero-vad==6.2.3",)

REAL: Final = (
    _leak(
        "models",
        "WebRtc",
        "heap_bytes",
        **_stream(800),  # a PyCapsule and the detector that it should have freed
        packages=("webrtcvad==2.0.10", "setuptools<81"),  # it imports pkg_resources
    ),
    Case(
        file="models.py", name="WebRtc", scenario=RECONNECT, packages=("webrtcvad-wheels==2.0.14",)
    ),
    _leak("models", "Silero", "heap_bytes", advises="torch.no_grad", packages=_SILERO),
    Case(file="models.py", name="SileroWithoutGrad", packages=_SILERO),
)
"""Models that people use, in interpreters of their own."""

LEAKS: Final = (*_OBJECTS, *_HIDDEN, *_MEMORY, *_OPENED, *_GRAPHS)

BOUNDED: Final = tuple(
    Case(file=f"{file}.py", name=name, scenario=scenario)
    for file, scenario, names in (
        ("objects", "alternating", "RandomLength JitterBuffer Ring Vocabulary Pool Trimmed"),
        ("hidden", "alternating", "CacheWithBound Patterns"),
        ("hidden", RECONNECT, "SessionsDeleted HandlersRemoved TasksAwaited"),
        ("outside", "alternating", "MallocFreed MappingClosed SharedMemoryClosed FilesClosed"),
        ("outside", "alternating", "ChildrenReaped TemporaryFilesRemoved SameTime RandomTime"),
        ("outside", "alternating", "GraphDetached"),
        ("outside", RECONNECT, "ThreadsJoined"),
        ("states", "alternating", "LstmWithoutGrad LossesAsNumbers"),
        ("services", "alternating", "GarbageCollected"),
        ("services", RECONNECT, "EventLoopsClosed ExecutorsShutDown WeakCache"),
        ("late", "alternating", "LazyModel CleanedUp Counters"),
        ("files", "alternating", "Rotated Replaced"),
        ("processes", "alternating", "SteadyChild SteadyWorker"),
    )
    for name in names.split()
)
