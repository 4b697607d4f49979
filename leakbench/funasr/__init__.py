"""FunASR's streaming VAD as a subject; generic code does not name it.

====================  =================================================================
``resolution``        spec string in, release provisioned, subject ready to run out
``subject``           FunASR's own VAD; imported in the worker only
``features``          one feature extractor for all its releases
``embedded``          the model whose weights are set by hand
``onnx_subject``      the VAD of the ONNX runtime; imported in the worker only
``onnx_environment``  the interpreter it needs for itself, and its model
``onnx_model``        the embedded model as an ONNX graph; a script of its own
====================  =================================================================
"""
