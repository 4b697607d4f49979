"""The chain of references that holds something, from a root with a name, to be read.

Inside the subject's state the walk has found it. What hangs elsewhere is followed back with
``gc.get_referrers`` until a module, a class, a thread or the subject's state is met; the
frames and lists of the search itself are left out.
"""

from __future__ import annotations

import gc
import itertools
import sys
import threading
import types
from collections.abc import Iterable, Sequence
from typing import Any, Final

from leakbench.explain.heapwalk import LRU_CACHE, HeapWalk, referents, thread_attributes
from leakbench.probes.kinds import TypePlans
from leakbench.record.explanation import Holder

REFERRERS_AT_MOST: Final = 64
"""Looked at together; the collector compares each object's references with all of them."""
DEPTH_AT_MOST: Final = 24
OURS: Final = ("leakbench.explain.", "leakbench.worker.", "leakbench.probes.")
"""Modules of the search and of whoever asks, whose functions and caches hold nothing of the
subject's."""
SUBJECT: Final = "subject"
"""Name of the first step of a chain that begins at the subject."""
_SKIPPED_NAMES: Final = ("_modules", "_parameters", "_buffers")
"""Dicts that hold attributes under another name: ``model.encoder`` is what people read."""

_plans: Final = TypePlans()


def chain_within(walk: HeapWalk, index: int, root: str) -> tuple[Holder, ...]:
    """Return the chain from where `walk` began, called `root`, to one of its objects."""
    return name_steps(root, walk.line(index))


def chain_back(obj: Any, *, ours: Iterable[object]) -> tuple[Holder, ...]:
    """Return the shortest chain to `obj` from a root that has a name.

    Parameters
    ----------
    obj
        What is held.
    ours
        Objects of the search and of whoever asks, through which no chain may go.

    Returns
    -------
    The chain; only the object itself where nothing with a name was found.
    """
    names = {id(vars(module)): name for name, module in _modules()}
    locals_ = {**_frame_locals(), **_thread_locals()}
    skipped = set(map(id, ours)) | {id(names), id(locals_)}
    came_from: dict[int, Any] = {id(obj): None}
    frontier = [obj]
    skipped.add(id(came_from))
    for _ in range(DEPTH_AT_MOST):
        named = [(root, at) for at in frontier if (root := _root_name(at, names, locals_))]
        if named:
            # A logger hangs on each module that has asked for one: its own module is its home.
            ways = [(root, _way(item, came_from)) for root, item in named]
            return name_steps(*max(ways, key=lambda way: _is_home(*way)))
        skipped.add(id(frontier))
        # Attributes of modules and classes first: the way to a name is through one of them.
        frontier.sort(key=lambda item: type(item) is not dict)
        found = gc.get_referrers(*frontier[:REFERRERS_AT_MOST])
        skipped.add(id(found))
        wanted = {id(item): item for item in frontier}
        skipped.add(id(wanted))
        following: list[Any] = []
        for referrer in found:
            if id(referrer) in skipped or id(referrer) in came_from or _is_own(referrer):
                continue
            held = next((wanted[id(x)] for x in referents(referrer) if id(x) in wanted), None)
            if held is not None:
                came_from[id(referrer)] = held
                following.append(referrer)
        frontier = following
        if not frontier:
            break
    return name_steps("", [obj])


def shorten(holders: Sequence[Holder]) -> str:
    """Return the chain as text, from the first object that is not leakbench's own."""
    # What wraps the model for leakbench is no news to a reader: begin at the model.
    begin = next(
        (at for at, step in enumerate(holders) if not step.type.startswith("leakbench.")), 0
    )
    if holders[0].name != SUBJECT:
        return (holders[0].name or f"<{holders[0].type}>") + _joined(holders[1:])
    if "." not in holders[begin].type:
        begin = 0
    return holders[begin].type.rpartition(".")[2] + _joined(holders[begin + 1 :])


def _joined(holders: Sequence[Holder]) -> str:
    """Join names, a run of the same link told once: ``head.next.next...`` is ``head.next...``."""
    names = [holder.name for holder in holders if holder.name]
    text, repeats = "", 0
    for at, name in enumerate(names):
        repeats = repeats + 1 if at and names[at - 1] == name else 0
        if repeats == 2:
            text += "..."
        elif repeats < 2:
            text += name
    return text


def name_steps(root: str, line: Sequence[Any]) -> tuple[Holder, ...]:
    """Return how each object of `line` is called by the one before it."""
    steps = [Holder(name=root, type=type_name(type(line[0])))]
    above: Any = None
    for parent, child in itertools.pairwise(line):
        name = _edge(above, parent, child)
        above = parent
        if name is not None:
            steps.append(Holder(name=name, type=type_name(type(child))))
    return tuple(steps)


def type_name(cls: type) -> str:
    """Return a type's name as it would be imported."""
    module = getattr(cls, "__module__", "")
    return cls.__qualname__ if module == "builtins" else f"{module}.{cls.__qualname__}"


def _edge(above: Any, parent: Any, child: Any) -> str | None:
    """Return how `parent` refers to `child`; None for a step that is no step to a reader."""
    cls = type(parent)
    if issubclass(cls, dict):
        return _entry(above, parent, child)
    if isinstance(parent, types.CellType):
        return _closed_over(above, parent)
    if isinstance(parent, types.FunctionType):
        return None if child is parent.__closure__ or child is parent.__dict__ else ".<default>"
    if isinstance(child, types.CellType):
        return None
    if isinstance(parent, types.MethodType):
        return ".__self__" if child is parent.__self__ else ".__func__"
    if isinstance(parent, (types.FrameType, types.GeneratorType)):
        return _local(parent, child)
    if issubclass(cls, (list, tuple, set, frozenset)) or hasattr(cls, "popleft"):
        return "[]"
    for name, value in _attributes(parent):
        if value is child:
            return f".{name}"
    if type(child) is dict:
        return None  # attributes, or a thread's
    return f".<{cls.__name__}>"


def _entry(above: Any, parent: Any, child: Any) -> str | None:
    key = next((key for key, value in list(dict.items(parent)) if value is child), None)
    is_attributes = above is None or _holds_attributes(above, parent)
    if type(key) is not str:
        return "[*]"
    if is_attributes:
        return None if key in _SKIPPED_NAMES and isinstance(child, dict) else f".{key}"
    return f"[{key!r}]" if len(key) <= 40 else "[*]"


def _holds_attributes(above: Any, parent: Any) -> bool:
    if type(above) is dict:
        return any(above.get(name) is parent for name in _SKIPPED_NAMES)
    return not isinstance(above, (list, tuple, set, frozenset, dict)) and all(
        value is not parent for _, value in _attributes(above)
    )


def _closed_over(function: Any, cell: Any) -> str:
    # The closure is a tuple between function and cell: the walk goes through it.
    owner = next((f for f in gc.get_referrers(function) if isinstance(f, types.FunctionType)), None)
    if owner is not None and owner.__closure__ is not None and cell in owner.__closure__:
        return f".<closure {owner.__code__.co_freevars[owner.__closure__.index(cell)]}>"
    return ".<closure>"


def _local(frame: Any, child: Any) -> str:
    real = frame.gi_frame if isinstance(frame, types.GeneratorType) else frame
    names = (name for name, value in (real.f_locals if real else {}).items() if value is child)
    return f".{real.f_code.co_name if real else ''}:{next(names, '[]')}"


def _attributes(obj: Any) -> list[tuple[str, Any]]:
    plan = _plans.of(type(obj))
    found: list[tuple[str, Any]] = []
    if plan.has_dict:
        found += dict.items(object.__getattribute__(obj, "__dict__"))
    for name in plan.slots:
        try:
            found.append((name, object.__getattribute__(obj, name)))
        except AttributeError:
            continue
    return found


def _root_name(item: Any, names: dict[int, str], locals_: dict[int, str]) -> str | None:
    if id(item) in names:
        return names[id(item)]
    if id(item) in locals_:
        return locals_[id(item)]
    if isinstance(item, type):
        return type_name(item)
    if isinstance(item, types.FunctionType):
        return f"{item.__module__}.{item.__qualname__}"
    return None


def _is_home(root: str, way: Sequence[Any]) -> bool:
    """Whether a chain begins in the module that the type of its first object is from."""
    first = next((item for item in way[1:] if type(item) is not dict), way[0])
    home = type(first).__module__
    return root == home or root.startswith(f"{home}.")


def _modules() -> list[tuple[str, types.ModuleType]]:
    # Anything may be put there, whatever its type says.
    loaded: list[tuple[str, object]] = list(sys.modules.items())
    return [(name, module) for name, module in loaded if isinstance(module, types.ModuleType)]


def _thread_locals() -> dict[int, str]:
    """Return the name of each thread-local object's attributes in this thread."""
    objects = gc.get_objects()
    kinds = {cls for cls in set(map(type, objects)) if issubclass(cls, threading.local)}
    names = {
        id(value): f"{name}.{key}"
        for name, module in _modules()
        for key, value in list(vars(module).items())
        if type(value) in kinds
    }
    return {
        id(thread_attributes(obj)): f"{names.get(id(obj), 'a')} (thread-local)"
        for obj in objects
        if type(obj) in kinds
    }


def _frame_locals() -> dict[int, str]:
    """Return the name of each local variable of the other threads.

    ``gc.get_referrers`` does not find them: the collector does not know a frame that runs.
    """
    threads = {thread.ident: thread.name for thread in threading.enumerate()}
    found = {}
    for ident, newest in sys._current_frames().items():
        frame: types.FrameType | None = newest if ident != threading.get_ident() else None
        while frame is not None:
            for name, value in frame.f_locals.items():
                where = f"thread {threads.get(ident, ident)}: {frame.f_code.co_qualname}.{name}"
                found[id(value)] = where
            frame = frame.f_back
    return found


def _is_own(referrer: Any) -> bool:
    """Whether it is a frame of this thread: the subject is not running while it is looked at.

    Or a function of the search, which has looked at what it holds.
    """
    if isinstance(referrer, (types.FunctionType, LRU_CACHE)):
        return str(referrer.__module__).startswith(OURS)
    if not isinstance(referrer, types.FrameType):
        return isinstance(referrer, types.ModuleType)
    frame: types.FrameType | None = sys._getframe()
    while frame is not None:
        if frame is referrer:
            return True
        frame = frame.f_back
    return False


def _way(root: Any, came_from: dict[int, Any]) -> list[Any]:
    line = [root]
    while (following := came_from[id(line[-1])]) is not None:
        line.append(following)
    return line
