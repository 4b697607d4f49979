"""The stages in which a leak is explained, one after the other, with the subject driven on.

stage    what a stage is given, and what it adds its findings to
census   who holds what grows, which lines allocate it, who opened what stays open
callers  whose line called the library's line that allocates
graph    which line makes the autograd graph that a tensor keeps
native   where C code allocates what is never freed
busy     at which lines a chunk spends its processor time

Each disturbs what the next one sees as little as it can: what it hooks in, it takes out.
"""
