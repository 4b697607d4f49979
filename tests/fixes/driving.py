"""Drive a release unpatched and patched in one interpreter and save how they compare.

One process can import one release only, so tests run this file: ``python driving.py REQUEST
ANSWER``, REQUEST a JSON file ``{path, models, cases}``, ANSWER the JSON file to write. A case is::

    {model, chunk_ms, fixes, settings, generate, streams, interleaved, adopt, remove,
     measure_every}

`fixes` are ``[name, options]`` pairs, each driven beside the unpatched release; `settings` go to
``vad_opts``; `streams` are ``{audio, cuts, final}``: where the audio is, the samples its chunks
begin and end at, and the indices of the final ones; `interleaved` feeds them turn by turn;
`adopt` is the chunk before which the fix is applied, with the stream begun; `remove` asks for one
more run, unpatched again.
"""

import contextlib
import importlib
import io
import json
import signal
import sys
from itertools import pairwise
from pathlib import Path

HANG_SECONDS = 2.0
"""Of processor time. A chunk takes 50 ms or so; the original can spin for ever."""


def main(request: dict) -> list[list[dict]]:
    sys.path[:0] = [*request["path"], str(Path(__file__).parents[2])]
    signal.signal(signal.SIGPROF, _hang)
    module = importlib.import_module("leakbench.funasr.subject")
    pairs = {}
    for name in request["models"]:
        with contextlib.redirect_stdout(io.StringIO()):
            pairs[name] = [module.FunasrSubject(model=name).model for _ in range(2)]
    return [compare(*pairs[case["model"]], case) for case in request["cases"]]


def compare(reference, patched, case: dict) -> list[dict]:
    from leakbench import fixes

    for model in (reference, patched):
        model._before = dict(vars(model.model.vad_opts))
        vars(model.model.vad_opts).update(case["settings"])
    expected = run(reference, case)
    answers = []
    for name, options in case["fixes"]:
        apply = lambda name=name, options=options: fixes.apply(patched, name, **options)  # noqa: E731
        if not case["adopt"]:
            apply()
        got = run(patched, case, before_chunk={case["adopt"]: apply} if case["adopt"] else {})
        fixes.remove(patched)
        answers.append({"fix": name, "expected": expected, "got": got})
    if case["remove"]:
        removed = run(patched, case)["events"] == expected["events"]
        answers = [{**answer, "removed_equals_unpatched": removed} for answer in answers]
    for model in (reference, patched):
        vars(model.model.vad_opts).update(model._before)
    return answers


def run(model, case: dict, before_chunk=None) -> dict:
    """Feed the streams; segments chunk by chunk, and where it ended if it did not get through."""
    import numpy as np

    turns = [
        (np.load(each["audio"], mmap_mode="r"), list(pairwise(each["cuts"])), {}, each["final"])
        for each in case["streams"]
    ]
    order = []
    for number, (_, chunks, _, _) in enumerate(turns):
        order += [(i if case["interleaved"] else 0, number, i) for i in range(len(chunks))]
    order.sort(key=lambda turn: turn[0])
    events, held, ended = [], [], None
    for position, (_, number, index) in enumerate(order):
        audio, chunks, cache, final = turns[number]
        if before_chunk and position in before_chunk:
            before_chunk[position]()
        begin, end = chunks[index]
        is_final = index in final or index - len(chunks) in final
        try:
            signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
            with contextlib.redirect_stdout(io.StringIO()):
                result = model.generate(
                    input=np.array(audio[begin:end]),
                    cache=cache,
                    is_final=is_final,
                    chunk_size=case["chunk_ms"],
                    **{"dynamic_silence": False, **case["generate"]},
                )
            events.append(result[0]["value"])
        except (IndexError, TimeoutError, RuntimeError, ValueError) as error:
            ended = f"{type(error).__name__}: {error}"[:200]
            break
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if position % case["measure_every"] == case["measure_every"] - 1:
            held.append(measure(cache))
    return {"events": events, "held": held, "ended": ended}


def measure(cache: dict) -> dict[str, list[int]]:
    """Elements and bytes of what the leak and the fixes hold, by path."""
    from leakbench.probes.objects import measure_objects

    stats = cache["stats"]
    sizes = measure_objects({"stats": stats})
    held = {
        path.removeprefix("stats."): [size.elements, size.python_bytes + size.storage_bytes]
        for path, size in sizes.items()
        if path.count(".") <= 1
    }
    held["unconsumed"] = [stats.frm_cnt - stats.data_buf_start_frame, 0]
    bounded = getattr(stats, "bounded", None)
    if bounded is not None and bounded.history is not None:
        held["history"] = [bounded.history.end, 0]
    return held


def _hang(*_: object) -> None:
    raise TimeoutError("hung")


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
