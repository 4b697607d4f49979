"""Memory that arrays, tensors and buffers keep outside of Python objects, each piece once.

A piece is an extent: the address it starts at and its length in bytes. Extents that overlap
are one piece of memory, which is how a tensor and the numpy array it was made from, or a
view and its base, count once. A view counts what it pins: the whole of its base.

What ``sys.getsizeof`` already counts is not storage: the content of bytes, bytearray and
array.array belongs to their Python objects.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_nbytes = np.ndarray.__dict__["nbytes"].__get__
_interface = np.ndarray.__dict__["__array_interface__"].__get__
_base = np.ndarray.__dict__["base"].__get__
_flags = np.ndarray.__dict__["flags"].__get__
_size = np.ndarray.__dict__["size"].__get__
_dtype = np.ndarray.__dict__["dtype"].__get__
_NO_ADDRESS_SHIFT: Final = 64


class Extents(dict[int, int]):
    """Start address to length in bytes of pieces of memory that may overlap."""

    def add(self, start: int, nbytes: int) -> None:
        """Add a piece; the longer one stays where two start at one address."""
        if nbytes > self.get(start, 0):
            self[start] = nbytes

    def merge(self, other: Extents) -> None:
        """Add the pieces of `other`."""
        for start, nbytes in other.items():
            self.add(start, nbytes)

    def total_bytes(self) -> int:
        """Return the bytes covered, overlaps counted once."""
        if len(self) < 2:
            return sum(self.values())
        total = 0
        reached: float = -float("inf")
        for start, nbytes in sorted(self.items()):
            end = start + nbytes
            if end > reached:
                total += end - int(max(start, reached)) if reached > start else nbytes
                reached = end
        return total


def open_array(array: npt.NDArray[Any], extents: Extents) -> tuple[int, list[Any]]:
    """Add what `array` owns to `extents`.

    Returns
    -------
    Its number of elements, and the objects it holds: the base whose memory it uses, and
    its items where they are Python objects.
    """
    base = _base(array)
    held: list[Any] = []
    if base is None or not _is_walked(base):
        extents.add(_interface(array)["data"][0], _nbytes(array))
    if base is not None:
        held.append(base)
    dtype = _dtype(array)
    if dtype.hasobject:
        held.extend(_items(np.ndarray.view(array, np.ndarray)))
    return _size(array), held


def sized_content_bytes(array: npt.NDArray[Any]) -> int:
    """Return how much of the size of `array` is the memory of its elements, rounded up to 8."""
    return _nbytes(array) + 7 & -8 if _flags(array).owndata else 0


def open_tensor(tensor: Any, extents: Extents) -> tuple[int, list[Any]]:
    """Add what `tensor` pins to `extents`.

    Nothing is added for a tensor without memory (on the meta device) or one whose storage
    cannot be asked for; a sparse tensor pins its indices and values.

    Returns
    -------
    Its number of elements, and the objects it holds: its gradient.
    """
    torch: Any = sys.modules["torch"]
    held: list[Any] = []
    try:
        if type(tensor) is torch.Tensor:
            return _open_dense_or_sparse(tensor, extents, held), held
        # A subclass is not asked what its own methods mean.
        with torch._C.DisableTorchFunctionSubclass():
            return _open_dense_or_sparse(tensor, extents, held), held
    except Exception:
        # A layout without storage, or a subclass that refuses: what was found stands.
        return 0, held


def _open_dense_or_sparse(tensor: Any, extents: Extents, held: list[Any]) -> int:
    elements = int(tensor.numel())
    if tensor.requires_grad and tensor.is_leaf and tensor.grad is not None:
        held.append(tensor.grad)
    for part in _dense_parts(tensor):
        pinned = part.untyped_storage()
        if start := pinned.data_ptr():
            extents.add(start, pinned.nbytes())
    return elements


def open_torch_storage(storage: Any, extents: Extents) -> int:
    """Add a torch storage to `extents` and return its bytes."""
    try:
        nbytes, start = int(storage.nbytes()), storage.data_ptr()
    except Exception:
        return 0
    if start:
        extents.add(start, nbytes)
    return nbytes


def open_mmap(mapping: mmap.mmap, extents: Extents) -> int:
    """Add a memory map to `extents` and return its bytes; 0 once it is closed."""
    try:
        nbytes = mmap.mmap.__len__(mapping)
    except ValueError:
        return 0
    # Its address is not to be had without exporting its buffer, which would make a close
    # in another thread fail. The id stands for it, below every address.
    extents.add(-id(mapping) << _NO_ADDRESS_SHIFT, nbytes)
    return nbytes


def open_cdata(cdata: Any, extents: Extents) -> int:
    """Add the memory a ctypes instance owns to `extents` and return its bytes."""
    nbytes = ctypes.sizeof(cdata)
    if _owns_memory(cdata):
        extents.add(ctypes.addressof(cdata), nbytes)
    return nbytes


def open_memoryview(view: memoryview, extents: Extents) -> tuple[int, list[Any]]:
    """Return the bytes seen through `view` and the object it pins; nothing once released.

    Memory of an exporter that is not walked itself is added to `extents`.
    """
    try:
        nbytes, exporter = view.nbytes, view.obj
    except ValueError:
        return 0, []
    if not _is_walked(exporter):
        extents.add(-id(exporter) << _NO_ADDRESS_SHIFT, nbytes)
    return nbytes, [exporter]


def _is_walked(exporter: object) -> bool:
    """Whether an exporter's memory is counted once the exporter itself is walked."""
    torch = sys.modules.get("torch")
    tensor: tuple[type, ...] = (torch.Tensor,) if hasattr(torch, "Tensor") else ()  # type: ignore[union-attr]
    return issubclass(type(exporter), (*_WALKED_EXPORTERS, *tensor))


_CDATA: Final[type] = ctypes.c_int.__mro__[-2]
_WALKED_EXPORTERS: Final = (np.ndarray, memoryview, bytes, bytearray, mmap.mmap, _CDATA)


def _owns_memory(cdata: Any) -> bool:
    return bool(_CDATA.__dict__["_b_needsfree_"].__get__(cdata))


def _items(array: npt.NDArray[Any]) -> Iterator[Any]:
    """Yield the Python objects in an array of objects, or in the object fields of records."""
    if array.dtype.names is None:
        if array.dtype.kind == "O":
            yield from array.ravel().tolist()
        return
    for name in array.dtype.names:
        if array.dtype[name].hasobject:
            yield from _items(array[name])


def _dense_parts(tensor: Any) -> tuple[Any, ...]:
    """Return the tensors that hold the memory of one of any layout."""
    torch: Any = sys.modules["torch"]
    layout = tensor.layout
    if layout is torch.strided:
        return (tensor,)
    if layout is torch.sparse_coo:
        return tensor._indices(), tensor._values()
    if layout in (torch.sparse_csr, torch.sparse_bsr):
        return tensor.crow_indices(), tensor.col_indices(), tensor.values()
    return tensor.ccol_indices(), tensor.row_indices(), tensor.values()
