"""What runs in the fresh process of one replicate: build the subject, drive it, sample it.

Imports nothing beyond numpy and psutil, because it also runs in a subject's own interpreter.
"""
