"""Which line of Python made each tensor that is still alive.

Tensors get their memory from C++, where tracemalloc does not see it. While the mode below is
on, torch calls it for every operation; it notes the place in code of each storage an operation
makes. Only a weak reference to the storage is kept.

torch is never imported from here: a subject that has not loaded it makes no tensors.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from leakbench.explain.places import Place, place_of_frame

NOTED_AT_LEAST: Final = 1024
"""Bytes of a storage: of smaller ones the tensor around them weighs as much, and tracemalloc
knows who made that."""
_PRUNE_AT_LEAST: Final = 4096


class TensorOrigins:
    """Notes where storages are made, from `start` to `stop`; nothing where torch is not loaded."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[int, Place]] = {}
        """Address to a weak reference, as torch's C code counts them, and the line."""
        self._prune_at = _PRUNE_AT_LEAST
        self._mode: Any = None
        self._storage: Any = None

    def start(self) -> None:
        """Begin to note."""
        torch = sys.modules.get("torch")
        overrides = sys.modules.get("torch.overrides")
        if torch is None or overrides is None:
            return
        self._storage = torch.UntypedStorage
        if self._mode is None:
            self._mode = _make_mode(overrides, torch, self._note)
        self._mode.__enter__()

    def stop(self) -> None:
        """Note no more, until started again."""
        if self._mode is not None:
            self._mode.__exit__(None, None, None)

    def line_of(self, start: int) -> Place | None:
        """Return the line that made the storage which begins at an address, if still alive."""
        entry = self._made.get(start)
        return None if entry is None or self._storage._expired(entry[0]) else entry[1]

    def own_objects(self) -> tuple[object, ...]:
        """Return what a census must not count."""
        return self, self.__dict__, self._made, self._mode

    def _note(self, storage: Any, args: Any) -> None:
        start = storage.data_ptr()
        entry = self._made.get(start)
        if entry is not None and not self._storage._expired(entry[0]):
            return  # a view of it, or written in place
        if not start or _is_of(start, args):
            return  # a view of what was there before
        if entry is not None:
            self._storage._free_weak_ref(entry[0])
        self._made[start] = storage._weak_ref(), place_of_frame(sys._getframe(1))
        if len(self._made) >= self._prune_at:
            self._prune()
            self._prune_at = max(_PRUNE_AT_LEAST, 2 * len(self._made))

    def _prune(self) -> None:
        for start, (weak, _) in list(self._made.items()):
            if self._storage._expired(weak):
                self._storage._free_weak_ref(weak)
                del self._made[start]


def _make_mode(overrides: Any, torch: Any, note: Any) -> Any:
    tensor = torch.Tensor

    class NoteOrigins(overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = func(*args, **(kwargs or {}))
            for output in result if isinstance(result, (tuple, list)) else (result,):
                if isinstance(output, tensor) and output.layout is torch.strided:
                    storage = output.untyped_storage()
                    if storage.nbytes() >= NOTED_AT_LEAST:
                        note(storage, args)
            return result

    return NoteOrigins()


def _is_of(start: int, args: Any) -> bool:
    """Whether memory that begins at `start` belongs to one of an operation's inputs."""
    torch: Any = sys.modules["torch"]
    for arg in args:
        for item in arg if isinstance(arg, (tuple, list)) else (arg,):
            is_dense = isinstance(item, torch.Tensor) and item.layout is torch.strided
            if is_dense and item.untyped_storage().data_ptr() == start:
                return True
    return False
