"""Memory behind arrays, tensors and buffers: what a path pins, each piece once."""

import array
import ctypes
import mmap

import numpy as np
import pytest

from leakbench.probes.objects import ObjectProbe, measure_objects
from leakbench.probes.storage import Extents


def storage_bytes(**roots):
    return measure_objects(roots)["total"].storage_bytes


def test_an_array_is_its_storage_and_a_header():
    size = measure_objects({"array": np.zeros(1000)})["array"]
    assert size.elements == 1000
    assert size.storage_bytes == 8000
    assert size.python_bytes < 200


def test_a_growing_array_grows_and_a_replaced_one_does_not():
    probe = ObjectProbe()
    sizes = [probe.measure({"array": np.zeros(n)})["array"].storage_bytes for n in (10, 10, 20)]
    assert sizes == [80, 80, 160]


def test_a_tiny_view_pins_its_whole_base():
    view = np.zeros(100_000)[5:6][:]
    size = measure_objects({"view": view})["view"]
    assert size.elements == 1
    assert size.storage_bytes == 800_000


def test_a_base_and_its_views_count_once_together_and_fully_alone():
    base = np.zeros(1000)
    sizes = measure_objects({"base": base, "view": base[::2], "other": base.reshape(10, 100)})
    assert [sizes[name].storage_bytes for name in ("base", "view", "other")] == [8000] * 3
    assert sizes["total"].storage_bytes == 8000


def test_objects_in_an_array_are_counted():
    held = np.array([[0.5] * 10, "text", None], dtype=object)
    assert measure_objects({"held": held})["held[]"].elements == 10
    records = np.zeros(2, dtype=[("x", "f8"), ("o", object)])
    records["o"][0] = [1.5, 2.5]
    assert measure_objects({"records": records})["records[]"].elements == 2


def test_the_content_of_bytes_belongs_to_the_object_and_is_no_storage():
    for content in (bytes(5000), bytearray(5000), array.array("b", bytes(5000))):
        size = measure_objects({"content": content})["content"]
        assert size.elements == 5000
        assert size.python_bytes >= 5000
        assert size.storage_bytes == 0


def test_a_view_of_bytes_pins_them_once():
    content = bytearray(5000)
    sizes = measure_objects(
        {
            "view": memoryview(content)[10:20],
            "array": np.frombuffer(content, dtype=np.uint8)[:5],
        }
    )
    assert sizes["view"].elements == 10
    assert sizes["view"].python_bytes > 5000 < sizes["array"].python_bytes
    assert sizes["total"].storage_bytes == 0
    assert sizes["total"].python_bytes < 6000


def test_a_released_view_and_a_closed_map_weigh_nothing():
    view = memoryview(bytearray(10))
    view.release()
    mapping = mmap.mmap(-1, 4096)
    mapping.close()
    assert storage_bytes(view=view, mapping=mapping) == 0


def test_a_memory_map_is_storage_however_it_is_seen(tmp_path):
    mapping = mmap.mmap(-1, 8192)
    assert storage_bytes(mapping=mapping) == 8192
    assert storage_bytes(mapping=mapping, array=np.frombuffer(mapping, dtype=np.uint8)) == 8192
    mapped = np.memmap(tmp_path / "file", dtype=np.float32, mode="w+", shape=(1024,))
    assert storage_bytes(mapped=mapped[:3]) == 4096


def test_a_ctypes_array_is_storage_once():
    block = (ctypes.c_double * 1000)()
    assert storage_bytes(block=block, view=memoryview(block)) == 8000
    assert storage_bytes(array=np.ctypeslib.as_array(block)) == 8000


def test_overlapping_extents_count_once():
    extents = Extents()
    for start, nbytes in ((100, 50), (120, 10), (140, 20), (200, 5), (100, 30)):
        extents.add(start, nbytes)
    assert extents.total_bytes() == 65
    assert Extents().total_bytes() == 0


class TestTensors:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def test_a_tensor_is_its_storage_and_a_header(self, torch):
        size = measure_objects({"tensor": torch.zeros(2, 500)})["tensor"]
        assert size.elements == 1000
        assert size.storage_bytes == 4000
        assert size.python_bytes < 200

    def test_a_view_pins_its_base_and_shares_it(self, torch):
        base = torch.zeros(6800)
        sizes = measure_objects({"data_buf_all": base, "data_buf": base[160:320]})
        assert sizes["data_buf"].elements == 160
        assert sizes["data_buf"].storage_bytes == 27_200
        assert sizes["total"].storage_bytes == 27_200

    def test_a_tensor_and_an_array_of_one_memory_count_once(self, torch):
        owner = np.zeros(1000, dtype=np.float32)
        assert storage_bytes(array=owner, tensor=torch.from_numpy(owner)) == 4000
        assert storage_bytes(array=owner, tensor=torch.from_numpy(owner[10:])) == 4000
        tensor = torch.zeros(1000)
        assert storage_bytes(array=tensor.numpy(), tensor=tensor) == 4000
        assert storage_bytes(array=tensor.numpy()[:3]) == 4000

    def test_a_growing_tensor_grows_under_its_path_only(self, torch):
        class State:
            scores = None

        state, probe, seen = State(), ObjectProbe(), []
        state.steady = torch.zeros(100)
        for n in range(1, 5):
            state.scores = torch.zeros(n, 248)
            seen.append(probe.measure({"stats": state}))
        assert [sizes["stats.scores"].storage_bytes for sizes in seen] == [
            992 * n for n in range(1, 5)
        ]
        assert len({sizes["stats.steady"] for sizes in seen}) == 1

    def test_storages_themselves_are_storage(self, torch):
        tensor = torch.zeros(1000)
        assert storage_bytes(storage=tensor.untyped_storage()) == 4000
        assert storage_bytes(storage=tensor.untyped_storage(), tensor=tensor) == 4000

    def test_tensors_without_plain_storage_do_not_break_the_walk(self, torch):
        assert storage_bytes(meta=torch.zeros(1000, device="meta")) == 0
        sparse = torch.zeros(100, 100).index_put((torch.tensor([1]),), torch.tensor(1.0))
        assert storage_bytes(sparse=sparse.to_sparse()) == 100 * (16 + 4)
        assert storage_bytes(empty=torch.zeros(0)) == 0

    @pytest.mark.filterwarnings("ignore:.*quantized tensor creation functions:UserWarning")
    def test_a_quantised_tensor_is_its_storage(self, torch):
        quantised = torch.quantize_per_tensor(torch.zeros(1000), 1.0, 0, torch.qint8)
        assert storage_bytes(quantised=quantised) == 1000

    @pytest.mark.filterwarnings("ignore:Sparse")
    def test_compressed_sparse_tensors_pin_their_parts(self, torch):
        rows, columns, values = torch.arange(101), torch.arange(100), torch.ones(100)
        sparse = torch.sparse_csr_tensor(rows, columns, values)
        assert storage_bytes(sparse=sparse) == 101 * 8 + 100 * 8 + 100 * 4

    def test_fake_tensors_do_not_break_the_walk(self, torch):
        subclass = pytest.importorskip("torch._subclasses.fake_tensor")
        with subclass.FakeTensorMode():
            fake = torch.zeros(10)
        assert measure_objects({"fake": fake})["fake"].storage_bytes == 0

    def test_a_subclass_is_not_asked_what_its_methods_mean(self, torch):
        called = []

        class Loud(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                called.append(function)
                raise RuntimeError("loud")

        loud = torch.zeros(1000).as_subclass(Loud)
        assert storage_bytes(loud=loud) == 4000
        assert called == []

    def test_what_is_set_on_a_tensor_is_seen_and_nothing_is_set_by_looking(self, torch):
        tensor = torch.zeros(10)
        plain = measure_objects({"tensor": tensor})["tensor"].python_bytes
        assert measure_objects({"tensor": tensor})["tensor"].python_bytes == plain
        tensor.history = [0.5, 1.5]
        assert measure_objects({"tensor": tensor})["tensor.history"].elements == 2

    def test_a_gradient_is_pinned_by_its_tensor(self, torch):
        tensor = torch.zeros(1000, requires_grad=True)
        tensor.sum().backward()
        assert storage_bytes(tensor=tensor) == 8000

    def test_the_model_is_not_entered(self, torch):
        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = torch.nn.Linear(100, 100)
                self.weight = torch.nn.Parameter(torch.zeros(1000))
                self.history = [torch.zeros(10)]

        model = Model()

        class Stream:
            def __init__(self):
                self.model, self.weight, self.call = model, model.weight, model.forward

        sizes = measure_objects({"stream": Stream()})
        assert set(sizes) <= {"stream", "stream.call", "total"}
        assert sizes["total"].storage_bytes == 0
        # Asked for by name, its own attributes are walked; its weights still are not.
        sizes = measure_objects({"model": model})
        assert sizes["model.history"].storage_bytes == 40
        assert sizes["total"].storage_bytes == 40
