"""The embedded model as an ONNX graph, built from its weights, with no export.

A script of its own, for an interpreter that has ``onnx`` and nothing of leakbench:
``python onnx_model.py WEIGHTS.npz MODEL.onnx``.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

# The oldest with Squeeze's axes as an input; onnxruntime reads it since 1.8.
_OPSET = 13
_IR_VERSION = 7


def build_graph(weights: Mapping[str, npt.NDArray[np.float32]]) -> Any:
    """Return the FSMN of `weights` as an ``onnx.ModelProto``.

    Parameters
    ----------
    weights
        Parameter name to value, as `leakbench.funasr.embedded.compute_weights` names them.

    Returns
    -------
    Inputs are ``speech``, float32, shape (1, frames, features), and for each memory block
    ``in_cacheN``, shape (1, units, taps - 1, 1): its inputs of the frames before. Outputs are
    ``logits``, the probabilities, shape (1, frames, classes), and each ``out_cacheN``.
    """
    from onnx import helper

    memories = [name for name in weights if name.endswith("conv_left.weight")]
    units, _, taps, _ = weights[memories[0]].shape
    features = weights["encoder.in_linear1.linear.weight"].shape[1]
    classes = weights["encoder.out_linear2.linear.weight"].shape[0]
    # MatMul takes a matrix with inputs down and outputs across.
    constants: dict[str, npt.NDArray[Any]] = {
        name: value.T if value.ndim == 2 else value for name, value in weights.items()
    }
    constants |= {
        "axis": np.array([3]),
        "frames": np.array([2]),
        "begin": np.array([1 - taps]),
        "end": np.array([np.iinfo(np.int64).max]),
    }
    nodes: list[Any] = []

    def add(operation: str, *inputs: str, **attributes: object) -> str:
        output = f"{operation.lower()}{len(nodes)}"
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def affine(x: str, name: str) -> str:
        product = add("MatMul", x, f"encoder.{name}.linear.weight")
        bias = f"encoder.{name}.linear.bias"
        return add("Add", product, bias) if bias in weights else product

    x = add("Relu", affine(affine("speech", "in_linear1"), "in_linear2"))
    for layer, taps_name in enumerate(memories):
        x = affine(x, f"fsmn.{layer}.linear")
        x = add("Unsqueeze", add("Transpose", x, perm=[0, 2, 1]), "axis")
        history = add("Concat", f"in_cache{layer}", x, axis=2)
        nodes.append(
            helper.make_node("Slice", [history, "begin", "end", "frames"], [f"out_cache{layer}"])
        )
        memory = add("Conv", history, taps_name, group=units)
        x = add("Squeeze", add("Add", x, memory), "axis")
        x = add("Relu", affine(add("Transpose", x, perm=[0, 2, 1]), f"fsmn.{layer}.affine"))
    x = affine(affine(x, "out_linear1"), "out_linear2")
    nodes.append(helper.make_node("Softmax", [x], ["logits"], axis=-1))

    cache = (1, units, taps - 1, 1)
    layers = range(len(memories))
    return _make_model(
        nodes,
        inputs={"speech": (1, "frames", features)} | {f"in_cache{n}": cache for n in layers},
        outputs={"logits": (1, "frames", classes)} | {f"out_cache{n}": cache for n in layers},
        constants=constants,
    )


def _make_model(
    nodes: list[Any],
    *,
    inputs: Mapping[str, tuple[int | str, ...]],
    outputs: Mapping[str, tuple[int | str, ...]],
    constants: Mapping[str, npt.NDArray[Any]],
) -> Any:
    """Return a checked model of `nodes`; inputs and outputs are float32, name to shape."""
    from onnx import TensorProto, checker, helper, numpy_helper

    def tensors(shapes: Mapping[str, tuple[int | str, ...]]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
            for name, shape in shapes.items()
        ]

    graph = helper.make_graph(
        nodes,
        "fsmn-vad",
        tensors(inputs),
        tensors(outputs),
        [
            numpy_helper.from_array(np.ascontiguousarray(value), name)
            for name, value in constants.items()
        ],
    )
    opset = helper.make_opsetid("", _OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION)
    checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    import onnx

    with np.load(sys.argv[1]) as archive:
        onnx.save(build_graph(dict(archive)), sys.argv[2])
