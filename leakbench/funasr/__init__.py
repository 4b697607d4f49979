"""FunASR's streaming VAD as a subject; nothing outside this package names it.

================  =====================================================================
``resolution``    spec string in, release provisioned, subject ready to run out
``subject``       the subject itself; imported in the worker only
``features``      one feature extractor for all releases
``embedded``      the model whose weights are set by hand
================  =====================================================================
"""
