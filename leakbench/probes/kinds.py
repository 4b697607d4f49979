"""How an object of a type is read: what it holds, without running any of its code.

A subject's objects may be anything: attributes that raise, properties with side effects, a
``__len__`` that lies. So nothing here looks an attribute up the usual way. A type is
inspected once, statically, and becomes a `TypePlan`; instances are then read through C-level
descriptors and unbound methods of the built-in type they derive from.
"""

from __future__ import annotations

import array
import collections
import ctypes
import enum
import io
import mmap
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from leakbench.probes.autograd import Graph

_HAVE_GC: Final = 1 << 14
_HEAP_TYPE: Final = 1 << 9
_GC_HEAD_BYTES: Final = 16
_POINTER_BYTES: Final = ctypes.sizeof(ctypes.c_void_p)
_DEQUE_BLOCK_ITEMS: Final = 64
_DEQUE_BYTES: Final = sys.getsizeof(collections.deque())
_DEQUE_BLOCK_BYTES: Final = (
    sys.getsizeof(collections.deque([None] * 100 * _DEQUE_BLOCK_ITEMS)) - _DEQUE_BYTES
) // 100

_mro = type.__dict__["__mro__"].__get__
_namespace = type.__dict__["__dict__"].__get__
_C_DESCRIPTORS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)
_CDATA: Final[type] = ctypes.c_int.__mro__[-2]


class Kind(enum.Enum):
    """What an object holds, and so how it is opened."""

    ATOM = enum.auto()
    """Nothing that the garbage collector could follow: a number, a string, None."""
    SCALAR = enum.auto()
    """A value with attributes: an enum member, an instance of a subclass of int or str."""
    EXCLUDED = enum.auto()
    """Not entered and not counted."""
    ITEMS = enum.auto()
    """list, tuple, set, frozenset, deque."""
    MAPPING = enum.auto()
    """dict and what derives from it."""
    BYTES = enum.auto()
    """bytes, bytearray, array.array: their content is part of ``sys.getsizeof``."""
    STREAM = enum.auto()
    """io.BytesIO and io.StringIO: what was written into them."""
    MEMORYVIEW = enum.auto()
    MMAP = enum.auto()
    CDATA = enum.auto()
    """A ctypes instance."""
    NDARRAY = enum.auto()
    TENSOR = enum.auto()
    TORCH_STORAGE = enum.auto()
    GRAPH = enum.auto()
    """What autograd keeps behind a tensor."""
    FUNCTION = enum.auto()
    INSTANCE = enum.auto()
    """An instance of a class written in Python."""
    OPAQUE = enum.auto()
    """A C type that nothing is known of: what it tells the garbage collector is followed."""


_BUILTIN_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (list, Kind.ITEMS),
    (tuple, Kind.ITEMS),
    (dict, Kind.MAPPING),
    (set, Kind.ITEMS),
    (frozenset, Kind.ITEMS),
    (collections.deque, Kind.ITEMS),
    (bytes, Kind.BYTES),
    (bytearray, Kind.BYTES),
    (array.array, Kind.BYTES),
    (io.BytesIO, Kind.STREAM),
    (io.StringIO, Kind.STREAM),
    (memoryview, Kind.MEMORYVIEW),
    (mmap.mmap, Kind.MMAP),
    (np.ndarray, Kind.NDARRAY),
    (_CDATA, Kind.CDATA),
    (types.FunctionType, Kind.FUNCTION),
    (int, Kind.SCALAR),
    (float, Kind.SCALAR),
    (complex, Kind.SCALAR),
    (str, Kind.SCALAR),
)
_ITERATED: Final = (list, tuple, set, frozenset, collections.deque)
_MEASURED: Final = (bytes, bytearray, array.array)

# Why each is innocent: these are the program, not its state. Their size does not depend on
# the audio driven, and following them would reach the whole interpreter.
_PROGRAM_TYPES: Final[tuple[type, ...]] = (
    type,
    types.ModuleType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
)
# The same for types that exist only once their module was imported. A module of layers and
# its parameters are the model's weights: constant, large, and not the stream's state.
_PROGRAM_TYPE_NAMES: Final = (
    ("logging", "Logger"),
    ("threading", "Thread"),
    ("torch.nn", "Module"),
    ("torch.nn", "Parameter"),
)
_WEAK_TYPES: Final = (weakref.ref, weakref.ProxyType, weakref.CallableProxyType)


class TypePlan:
    """How every instance of one type is read. Holds no reference that keeps the type alive."""

    __slots__ = (
        "fixed_bytes",
        "has_dict",
        "has_path",
        "is_atom",
        "is_excluded",
        "iterate",
        "kind",
        "length",
        "may_be_empty",
        "referents",
        "size",
        "sizeof",
        "slots",
        "watch",
    )

    def __init__(self, cls: type) -> None:
        self.kind = kind_of(cls)
        """What instances hold."""
        self.is_atom = self.kind is Kind.ATOM
        """Whether there is nothing to open."""
        self.is_excluded = self.kind is Kind.EXCLUDED
        self.may_be_empty = self.kind in (Kind.FUNCTION, Kind.OPAQUE)
        """Whether an instance may hold nothing and so need no path."""
        self.fixed_bytes = _FIXED_BYTES.get(id(cls), 0)
        """Bytes of any instance where all are of one size, else 0."""
        self.has_path = self.kind not in (Kind.ATOM, Kind.SCALAR, Kind.EXCLUDED)
        """Whether instances get a path of their own where they are found."""
        self.size = _sizer(cls)
        """Bytes of one instance without what it refers to, a multiple of 8."""
        self.sizeof = _static_lookup(cls, "__sizeof__") if self.size is _size else None
        """Bytes of one instance less what comes before each, a fifth of the time `size` takes; None
        where the type has code of its own for it, or says what depends on more than its content."""
        self.iterate: Callable[[Any], Iterator[Any]] = _first(
            (base.__iter__ for base in _ITERATED if issubclass(cls, base)), iter
        )
        """The built-in base's own iterator, whatever a subclass makes of ``__iter__``."""
        self.length: Callable[[Any], int] = _first(
            (base.__len__ for base in _ITERATED + _MEASURED if issubclass(cls, base)), len
        )
        """The built-in base's own length."""
        is_python_class = _is_written_in_python(cls)
        may_be_read = self.kind not in (Kind.ATOM, Kind.GRAPH) and (
            is_python_class or issubclass(cls, types.SimpleNamespace)
        )
        dictionary = _static_lookup(cls, "__dict__") if may_be_read else None
        self.has_dict = (
            isinstance(dictionary, _C_DESCRIPTORS)
            and self.kind is not Kind.TENSOR
            and not issubclass(cls, type)
        )
        """Whether ``object.__getattribute__(x, "__dict__")`` is a dict and runs no Python code.

        A tensor's is left alone: asking for it would give every tensor one. A class's is a
        read-only view, made anew each time.
        """
        slots = _slots(cls) if may_be_read else ()
        self.slots = tuple(
            name
            for name in dict.fromkeys(slots)
            if isinstance(_static_lookup(cls, name), types.MemberDescriptorType)
        )
        """Slots that ``object.__getattribute__`` reads without running Python code."""
        self.referents = self.kind is Kind.OPAQUE or (
            self.kind in (Kind.INSTANCE, Kind.EXCLUDED)
            and (
                not _is_attributes_only(cls)
                or len(self.slots) < len(slots)
                or (dictionary is not None and not self.has_dict)
            )
        )
        """Whether what the garbage collector sees must be read as well."""
        self.watch: weakref.ref[type] | None = None
        """Forgets the plan when the type dies, so that its id may be reused."""

    @property
    def is_layers(self) -> bool:
        """Whether this is an excluded type that is still read where it is itself a root."""
        return self.kind is Kind.EXCLUDED and self.has_dict


class TypePlans(dict[int, TypePlan]):
    """Type id to plan; a miss makes the plan of the type that is asked for."""

    def of(self, cls: type) -> TypePlan:
        """Return how instances of `cls` are read."""
        plan = self.get(id(cls))
        if plan is None:
            plan = TypePlan(cls)
            key = id(cls)
            plan.watch = weakref.ref(cls, lambda _: self.pop(key, None))
            self[key] = plan
        return plan


def kind_of(cls: type) -> Kind:
    """Return what instances of `cls` hold; for its plan as a whole ask `TypePlans`."""
    if issubclass(cls, _PROGRAM_TYPES) or issubclass(cls, _loaded_types(_PROGRAM_TYPE_NAMES)):
        return Kind.EXCLUDED
    # Not followed: a weak reference keeps nothing alive.
    if issubclass(cls, _WEAK_TYPES):
        return Kind.ATOM
    if issubclass(cls, enum.Enum):
        return Kind.SCALAR
    if issubclass(cls, _loaded_types((("torch", "Tensor"),))):
        return Kind.TENSOR
    if issubclass(cls, Graph):
        return Kind.GRAPH
    if issubclass(cls, _loaded_types((("torch", "UntypedStorage"),))):
        return Kind.TORCH_STORAGE
    for base, kind in _BUILTIN_KINDS:
        if issubclass(cls, base):
            is_atom = kind is Kind.SCALAR and not cls.__flags__ & _HAVE_GC
            return Kind.ATOM if is_atom else kind
    if not cls.__flags__ & _HAVE_GC:
        return Kind.ATOM
    if issubclass(cls, types.SimpleNamespace):
        return Kind.INSTANCE
    return (
        Kind.INSTANCE if cls.__flags__ & _HEAP_TYPE and _is_written_in_python(cls) else Kind.OPAQUE
    )


def _loaded_types(names: tuple[tuple[str, str], ...]) -> tuple[type, ...]:
    """Return those types whose module the subject has imported: never imported from here."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in names)
    return tuple(cls for cls in found if isinstance(cls, type))


def _sizer(cls: type) -> Callable[[Any], int]:
    """Return a function that sizes an instance without running Python code of the type."""
    if issubclass(cls, collections.deque):
        return _deque_size
    for base in _mro(cls):
        method = _namespace(base).get("__sizeof__")
        if isinstance(method, types.MethodDescriptorType):
            break
    if method is _static_lookup(cls, "__sizeof__"):
        return _size
    header = _GC_HEAD_BYTES if cls.__flags__ & _HAVE_GC else 0
    return lambda obj: (method(obj) + header + 7) & -8


def _size(obj: object) -> int:
    # Rounded up as the allocator does, and as pympler.asizeof does.
    return (sys.getsizeof(obj, 0) + 7) & -8


def _deque_size(obj: Any) -> int:
    # A deque has a block more or less according to where in a block it begins, so a full
    # ring of constant length would hardly ever weigh the same twice. Counted are the blocks
    # that its length needs: at most one off.
    blocks = collections.deque.__len__(obj) // _DEQUE_BLOCK_ITEMS
    return _DEQUE_BYTES + blocks * _DEQUE_BLOCK_BYTES


_FIXED_BYTES: Final[dict[int, int]] = {
    id(type(atom)): _size(atom) for atom in (0.0, 0j, True, None, ...)
}


def _static_lookup(cls: type, name: str) -> Any:
    for base in _mro(cls):
        namespace = _namespace(base)
        if name in namespace:
            return namespace[name]
    return None


def _slots(cls: type) -> tuple[str, ...]:
    """Return the names of all slots of `cls`, inherited ones included, one for each slot."""
    return tuple(
        name
        for base in _mro(cls)
        if "__slots__" in _namespace(base)
        for name, value in _namespace(base).items()
        if isinstance(value, types.MemberDescriptorType)
    )


def _is_written_in_python(cls: type) -> bool:
    """Whether `cls` itself was written in Python, whatever it derives from.

    A class made by C code may share the heap-type flag. It differs in that its instances
    have fields that are neither slots nor the attribute dict nor the weak-reference list.
    """
    namespace = _namespace(cls)
    if not cls.__flags__ & _HEAP_TYPE or "__module__" not in namespace or cls.__base__ is None:
        return False
    fields = [isinstance(value, types.MemberDescriptorType) for value in namespace.values()]
    slots = sum(fields) if "__slots__" in namespace else 0
    pointers = slots + ("__dict__" in namespace) + ("__weakref__" in namespace)
    return cls.__basicsize__ - cls.__base__.__basicsize__ <= _POINTER_BYTES * pointers


def _is_attributes_only(cls: type) -> bool:
    """Whether all of an instance is attributes: no C type among its bases but object."""
    base: type | None = cls
    while base is not None and base is not object:
        if not _is_written_in_python(base):
            return False
        base = base.__base__
    return True


def _first(candidates: Iterator[Any], default: Any) -> Any:
    return next(candidates, default)
