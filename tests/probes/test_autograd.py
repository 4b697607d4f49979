"""What autograd keeps behind a tensor is found, counted once, and leaves nothing behind."""

import gc
import sys

import numpy as np
import pytest
from pympler.asizeof import asizeof

from leakbench.probes.objects import ObjectProbe, measure_objects

torch = pytest.importorskip("torch")


def feed(steps: int, *, detached: bool = False) -> tuple[object, list[object]]:
    """Return a recurrent state after `steps`, and the layers that made it."""
    torch.manual_seed(0)
    cell = torch.nn.GRUCell(4, 8)
    state = torch.zeros(1, 8)
    for _ in range(steps):
        state = cell(torch.ones(1, 4), state)
        if detached:
            state = state.detach()
    return state, [cell]


def test_a_state_that_is_never_detached_has_a_path_for_its_graph() -> None:
    short, _ = feed(10)
    long, _ = feed(20)
    sizes = [measure_objects({"h": state})["h.grad_fn"] for state in (short, long)]
    per_step = (sizes[1].elements - sizes[0].elements) / 10
    assert per_step >= 1
    assert per_step == int(per_step)
    # What each step saves is more than its own state of 8 floats.
    assert sizes[1].storage_bytes - sizes[0].storage_bytes >= 10 * 8 * 4
    assert sizes[1].python_bytes == 0


def test_a_detached_state_has_none() -> None:
    state, _ = feed(10, detached=True)
    assert not any("grad_fn" in path for path in measure_objects({"h": state}))


def test_parameters_are_no_part_of_the_graph() -> None:
    layer = torch.nn.Linear(100, 100, bias=False)
    out = layer(torch.ones(1, 100))
    size = measure_objects({"out": out})["out.grad_fn"]
    assert size.storage_bytes < 100 * 100 * 4
    assert size.storage_bytes >= 100 * 4  # its input


def test_a_graph_behind_several_tensors_counts_once() -> None:
    state, _ = feed(10)
    one = measure_objects({"x": [state]})
    two = measure_objects({"x": [state, state * 1.0]})
    assert (
        one["x[].grad_fn"].elements < two["x[].grad_fn"].elements <= one["x[].grad_fn"].elements + 1
    )


def test_two_graphs_that_share_their_weights_both_leave_them_out() -> None:
    weight = torch.ones(1000, requires_grad=True)
    outs = [(weight * torch.ones(1000)).sum() for _ in range(2)]
    size = measure_objects({"x": outs})["x[].grad_fn"]
    assert size.storage_bytes == 2 * 4000  # what each was multiplied by


def test_a_frozen_parameter_is_no_part_of_the_graph() -> None:
    frozen = torch.nn.Parameter(torch.ones(1000), requires_grad=False)
    out = torch.ones(1000, requires_grad=True) * frozen
    assert measure_objects({"out": out})["out.grad_fn"].storage_bytes == 0


def test_a_graph_of_a_hundred_thousand_nodes_is_walked_without_recursion() -> None:
    value = torch.ones(1, requires_grad=True)
    for _ in range(100_000):
        value = value + 1
    assert measure_objects({"v": value})["v.grad_fn"].elements == 100_001
    # Torch frees it by recursion where a Python object is left for each node: no look leaves one.
    del value
    gc.collect()


def test_hooks_on_what_is_saved_are_not_run_and_what_they_packed_is_walked() -> None:
    unpacked = []
    start = torch.ones(1000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda saved: {"rows": [saved.clone()], "note": "packed"},
        lambda packed: unpacked.append(packed) or packed["rows"][0],
    ):
        out = start.exp().exp()
    sizes = measure_objects({"out": out})
    assert unpacked == []
    assert sizes["out.grad_fn"].elements == 3
    assert sizes["out.grad_fn"].storage_bytes == 2 * 4000


def test_nothing_is_recomputed_for_a_look_at_a_checkpoint() -> None:
    calls = []

    def layer(values):  # type: ignore[no-untyped-def]
        calls.append(1)
        return values.exp().exp()

    start = torch.ones(1000, requires_grad=True)
    out = torch.utils.checkpoint.checkpoint(layer, start, use_reentrant=False)
    before = len(calls)
    assert measure_objects({"out": out})["out.grad_fn"].elements == 3
    assert len(calls) == before == 1


def test_what_a_function_of_ones_own_saves_is_counted() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, values):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(torch.ones(1000))
            return values * 2

        @staticmethod
        def backward(ctx, gradient):  # type: ignore[no-untyped-def]
            return gradient * 2

    out = Double.apply(torch.ones(1, requires_grad=True))
    assert measure_objects({"out": out})["out.grad_fn"].storage_bytes >= 4000


@pytest.mark.parametrize("items", [10, 100, 2000])
def test_what_a_hook_of_ones_own_keeps_is_counted_however_much_it_is(items: int) -> None:
    def packed(kept: list[object]) -> int:
        with torch.autograd.graph.saved_tensors_hooks(lambda tensor: (tensor, kept), unpack):
            state = torch.ones(4, requires_grad=True).exp()
        return measure_objects({"h": state})["h.grad_fn"].python_bytes

    def unpack(packed: tuple[torch.Tensor, object]) -> torch.Tensor:
        return packed[0]

    few = packed([[0.5]])
    kept: list[object] = [[float(n)] for n in range(items)]
    assert packed(kept) - few == asizeof(kept) - asizeof([[0.5]])
    numbers: list[object] = [float(n) for n in range(items)]
    assert packed(numbers) - few == asizeof(numbers) - asizeof([[0.5]])


def test_looking_leaves_nothing_behind() -> None:
    state, _ = feed(50)
    probe = ObjectProbe()
    blocks = np.zeros(12, dtype=np.int64)
    for look in range(len(blocks)):
        probe.measure({"h": state})
        gc.collect()
        if sys.version_info < (3, 13):
            sys._clear_type_cache()
        blocks[look] = sys.getallocatedblocks()
    assert np.ptp(blocks[4:]) <= 2


def test_a_graph_freed_by_a_backward_pass_is_still_walked() -> None:
    out = (torch.ones(3, requires_grad=True) * torch.ones(3)).sum()
    out.backward()
    assert measure_objects({"out": out})["out.grad_fn"].elements >= 2


def test_a_long_text_with_a_name_has_a_path_and_a_short_one_has_none() -> None:
    sizes = measure_objects({"x": {"text": "a" * 1000, "word": "abc", "number": 1 << 4000}})
    assert sizes["x.text"].elements == 1000
    assert sizes["x.text"].python_bytes >= 1000
    assert sizes["x.number"].elements == 501
    assert "x.word" not in sizes
    assert sizes["x"].python_bytes > sizes["x.text"].python_bytes
