"""Other leak finders on the same four workloads: what each saw, what it cost, whether it was right.

    python -m benchmarks.peers [--chunks 400] [--output reports/benchmarks/peers.md]

``workloads`` and ``keeping`` are what is driven, ``tools`` and ``ours`` what looks for leaks,
``measurement`` one of them on one workload in a process of its own, ``table`` the report.
"""
