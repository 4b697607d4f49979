"""Everything that Python may keep where no root reaches: who holds it, and which line made it."""

from pathlib import Path

import pytest

from tests.explain.workers import HEAP, explain_alone

SUBJECTS = Path(__file__).parent / "holding_subjects.py"
HOME = "holding_subjects"


@pytest.mark.parametrize(
    ("name", "chain", "line"),
    [
        ("Sessions", f"{HOME}.SESSIONS", "SESSIONS[self.chunks] = {"),
        ("Recent", f"{HOME}.RECENT", "RECENT.append("),
        ("Names", f"{HOME}.SEEN", "SEEN.add("),
        ("ByLevel", f"{HOME}.BY_LEVEL[*]", "BY_LEVEL[0].append("),
        ("Audio", f"{HOME}.AUDIO", "AUDIO.extend("),
        ("Queued", f"{HOME}.QUEUE.queue", "QUEUE.put("),
        ("Cached", f"{HOME}._feature", "_feature(self.chunks.to_bytes("),
        ("CachedMethod", f"{HOME}.CachedMethod.feature", "self.feature(self.chunks"),
        ("Handlers", f"{HOME}.LOG.handlers", "LOG.addHandler("),
        ("Loggers", "logging.Logger.manager.loggerDict", "logging.getLogger("),
        ("Tasks", "Tasks.tasks", "self.tasks.add(self.loop.create_task("),
        ("LostTasks", "LostTasks.queue._getters", "self.loop.run_until_complete("),
        ("Contexts", f"{HOME}.CONTEXTS", "context.run(TURN.set"),
        ("Generators", f"{HOME}.GENERATORS", "generator = self.count()"),
        ("ExitCallbacks", f"{HOME}.SCOPES._exit_callbacks", "SCOPES.callback("),
        ("Finalizers", "weakref.finalize._registry", "weakref.finalize("),
        ("WeakCallbacks", "WeakCallbacks.on_end.<closure watchers>", "watchers.append("),
        ("CCallbacks", f"{HOME}.CALLBACKS", "CALLBACKS.append("),
        ("ThreadLocals", f"{HOME}.LOCAL (thread-local).levels", "LOCAL.__dict__.setdefault("),
        ("Types", f"{HOME}.Types.made", "self.made.append(type("),
        ("Globals", HOME, 'globals()[f"CHUNK_'),
        ("Attributes", "Attributes", "setattr(self, "),
        ("Cycles", "Cycles.agen.<async_generator>", "held.append([held"),
    ],
)
def test_a_holder_outside_the_roots_is_named_with_the_line_of_the_subject(
    tmp_path: Path, name: str, chain: str, line: str
) -> None:
    growths = explain_alone(tmp_path, f"{SUBJECTS}:{name}", {}).growths
    first = growths[0]
    assert first.chain == chain, [growth.chain for growth in growths]
    assert not first.inside_roots
    assert first.per == "chunk"
    assert first.allocations[0].source.startswith(line)
    assert Path(first.allocations[0].file) == SUBJECTS
    # What holds it is told once: not its items, nor what the harness keeps.
    assert not [growth.chain for growth in growths if growth.kind == "objects"]
    assert not [growth.chain for growth in growths if growth.chain.startswith("<")]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Interned", "self.kept(sys.intern("),
        ("AtExit", "atexit.register("),
        ("Transcript", 'TEXT += f"heard'),
    ],
)
def test_memory_of_python_without_a_holder_has_its_line(
    tmp_path: Path, name: str, line: str
) -> None:
    first, *others = explain_alone(tmp_path, f"{SUBJECTS}:{name}", {"heap_bytes": 50_000.0}).growths
    assert first.allocations[0].source.startswith(line)
    assert not others


@pytest.mark.parametrize("name", ["BoundedHolding", "RotatingHolding"])
def test_what_is_bounded_has_no_holder(tmp_path: Path, name: str) -> None:
    found = explain_alone(tmp_path, f"{SUBJECTS}:{name}", HEAP)
    assert found.growths == ()
    assert found.native == ()
