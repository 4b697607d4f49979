"""Probes: what a subject's objects and its process weigh, without judging it.

objects    every object reachable from the roots, by path
kinds      how an object of a type is read without running its code
contents   one object opened: its own bytes and what it holds
storage    memory of arrays, tensors and buffers
process    RSS, allocated heap, USS
traced     tracemalloc, as a mode of its own
"""
