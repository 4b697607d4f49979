"""Who holds what grows, and which lines allocate it: a second drive of a leaking cell.

native       growth of the heap that no object explains (the parent's side)
heapwalk     what is alive, and what is new (the worker's side, as all below)
census       three counts, and what grew from one to the next
chains       from an object back to a root with a name
lines        which lines made what stayed
tensor_origins  the same for tensors, which tracemalloc does not see
source       a line's function and text
search       all of these put together

What was found is :mod:`leakbench.record.explanation`; :mod:`leakbench.runner.explaining` reads it
from a worker, and starts one where none is left.
"""
