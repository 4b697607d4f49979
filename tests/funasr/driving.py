"""Drive a FunASR release in an interpreter of its own and save what came of it.

One process can import one release only, so tests run this file: ``python driving.py REQUEST
ANSWER``, REQUEST a JSON file ``{factory, path, runs}``, ANSWER the JSON file to write. A run is
``{options, audio, chunk_ms}``: a subject and the streams to feed it.
"""

import importlib
import json
import sys
from pathlib import Path


def main(request: dict) -> list[list[dict]]:
    sys.path[:0] = [*request["path"], str(Path(__file__).parents[2])]
    module, _, name = request["factory"].partition(":")
    factory = getattr(importlib.import_module(module), name)
    return [drive(factory(**run["options"]), run) for run in request["runs"]]


def drive(subject, run: dict) -> list[dict]:
    import numpy as np

    silence = record_silence(subject)
    length = run["chunk_ms"] * subject.sample_rate // 1000
    answers = []
    for path in run["audio"]:
        audio = np.load(path)
        subject.start()
        silence.clear()
        events = []
        for begin in range(0, len(audio) - length + 1, length):
            segments = subject.feed(audio[begin : begin + length].copy(), False)
            events.append([list(segment) for segment in segments])
        held = {}
        for name, root in subject.roots().items():
            held |= measure(root) if name == "stats" else {name: size(root)}
        held["writer keys"] = written_keys(subject)
        answers.append(
            {
                "events": events,
                "silence": list(silence),
                "held": held,
                "roots": list(subject.roots()),
            }
        )
    subject.close()
    return answers


def record_silence(subject) -> list[float]:
    """Have P(silence) of every frame the network scores appended to the list returned."""
    silence: list[float] = []
    encoder = getattr(getattr(getattr(subject, "model", None), "model", None), "encoder", None)
    if encoder is not None:
        forward = encoder.forward

        def recorded(*args, **kwargs):
            scores = forward(*args, **kwargs)
            silence.extend(scores[0, :, 0].tolist())
            return scores

        encoder.forward = recorded
    return silence


def written_keys(subject) -> int:
    """Keys that the writers of ``output_dir`` hold, wherever they are below the model."""
    writers = [getattr(getattr(getattr(subject, "model", None), "model", None), "writer", None)]
    keys = 0
    while writers:
        if writer := writers.pop():
            keys += len(writer.keys)
            writers += writer.chilidren.values()
    return keys


def measure(state) -> dict[str, int]:
    return {name: size(value) for name, value in vars(state).items()}


def size(value) -> int:
    """Elements of a list, bytes of a tensor's storage, else 0."""
    if isinstance(value, list):
        return len(value)
    return value.untyped_storage().nbytes() if hasattr(value, "untyped_storage") else 0


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()))))
