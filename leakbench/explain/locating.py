"""Where an object hangs: its path below the subject's roots, as in the trace, and its chain."""

from __future__ import annotations

from typing import Any

from leakbench.explain.chains import (
    SUBJECT,
    chain_back,
    chain_within,
    name_steps,
    type_name,
)
from leakbench.explain.heapwalk import HeapWalk
from leakbench.record.explanation import Holder
from leakbench.subject import Subject


class Locator:
    """Locates objects at one look.

    Parameters
    ----------
    subject
        As it is now.
    walk
        From the subject and from all that is new.
    ours
        Objects of the search and of whoever asks, through which no chain may go.
    """

    def __init__(self, subject: Subject, walk: HeapWalk, ours: tuple[object, ...]) -> None:
        roots = dict(subject.roots())
        self.named = HeapWalk()
        """What the subject's roots reach."""
        self.named.reach(roots.values(), known=set())
        self._names = {id(obj): name for name, obj in roots.items()}
        self._walk = walk
        self._ours = (*ours, roots, self, self.__dict__, self.named, walk, *vars(walk).values())

    def locate(self, obj: Any) -> tuple[str, tuple[Holder, ...]]:
        """Return the path of an object below the subject's roots, if any, and its chain."""
        path = ""
        if id(obj) in self.named.index:
            index = self.named.index[id(obj)]
            line = self.named.line(index)
            path = _path(chain_within(self.named, index, self._names[id(line[0])]))
        if id(obj) in self._walk.index:
            index = self._walk.index[id(obj)]
            line = self._walk.line(index)
            if line[0] is self._walk.objects[0]:
                return path, chain_within(self._walk, index, SUBJECT)
            back = chain_back(line[0], ours=(*self._ours, line))
            return path, (*back, *chain_within(self._walk, index, "")[1:])
        return path, chain_back(obj, ours=self._ours)

    def locate_buffer(self, holder: Any, buffer: Any) -> tuple[str, tuple[Holder, ...]]:
        """Return the same of a buffer, by the object that refers to it."""
        path, holders = self.locate(holder)
        step = name_steps("", [holder, buffer])[-1:]
        if len(holders) > 1 and holders[-1].type == type_name(type(holder)) == "dict":
            # A dict that is not the attributes of the step before: its keys are keys.
            step = (Holder(name=f"['{step[0].name.lstrip('.')}']", type=step[0].type),)
        if path:
            path = _path((Holder(name=path, type=""), *step))
        return path, (*holders, *step)


def _path(holders: tuple[Holder, ...]) -> str:
    """Return a chain below a root written as the trace writes its paths."""
    text = holders[0].name
    for holder in holders[1:]:
        key = holder.name.strip("[]'")
        is_key = holder.name.startswith("['") and key.isidentifier()
        text += f".{key}" if is_key else ("[*]" if holder.name.startswith("['") else holder.name)
    return text
