"""Drive the ONNX runtime unpatched and patched in one interpreter and save how they compare.

``python driving_onnx.py REQUEST ANSWER``, REQUEST a JSON file ``{path, options, streams, cases}``:
how to make the subject, where the audio is, and cases ``{chunk_ms, settings, fixes}``. Every
stream ends with a final chunk and is followed by the next; the last one's is not final.
"""

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path


def main(request: dict) -> list[list[dict]]:
    sys.path[:0] = [*request["path"], str(Path(__file__).parents[2])]
    subjects = importlib.import_module("leakbench.funasr.onnx_subject")
    answers = []
    for case in request["cases"]:
        options = {**request["options"], "generate": case["settings"]}
        expected = run(subjects.OnnxSubject(**options), request["streams"], case["chunk_ms"])
        answers.append([])
        for fix in case["fixes"]:
            subject = subjects.OnnxSubject(**options, fix=fix)
            got = run(subject, request["streams"], case["chunk_ms"])
            answers[-1].append({"fix": fix, "expected": expected, "got": got})
    return answers


def run(subject, streams: list[str], chunk_ms: int) -> dict:
    import numpy as np

    from leakbench.probes.objects import measure_objects

    length = chunk_ms * 16
    events, held, ended = [], [], None
    with contextlib.redirect_stdout(io.StringIO()):
        for number, path in enumerate(streams):
            audio = np.load(path)
            count = len(audio) // length
            subject.start()
            for i in range(count):
                chunk = audio[i * length : (i + 1) * length].copy()
                is_final = i == count - 1 and number < len(streams) - 1
                try:
                    events.append([list(pair) for pair in subject.feed(chunk, is_final)])
                except IndexError as error:
                    ended = f"IndexError: {error}"
                    return {"events": events, "held": held, "ended": ended}
                if i % 5 == 4:
                    sizes = measure_objects({"stats": subject.roots()["stats"]})
                    held.append(
                        {
                            path.removeprefix("stats."): [
                                size.elements,
                                size.python_bytes + size.storage_bytes,
                            ]
                            for path, size in sizes.items()
                            if path.count(".") <= 1
                        }
                    )
    return {"events": events, "held": held, "ended": ended}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
