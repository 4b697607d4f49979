"""The audio of a scenario: rendered once to disk, then read chunk after chunk.

================  =====================================================================
``stimulus``      the rendered period and its reader; all that a worker needs
``rendering``     scenario in, period on disk out
``synthesis``     seeded speech-like sound, stationary noise, silence
``recordings``    wav and flac files; the one module that imports soundfile and soxr
================  =====================================================================
"""
