from leakbench.record.trace import ObjectSize, Sample, Trace
from leakbench.verdict.runaway import find_runaway, merge_runaway

MIB = 2**20
LIMIT = 1024.0 * MIB


def trace(rss: list[float], kept: list[int]) -> Trace:
    return Trace(
        tuple(
            Sample(
                chunk=chunk,
                audio_seconds=0.6 * chunk,
                wall_seconds=0.0,
                phase=chunk,
                segments=0,
                streams=1,
                objects={
                    "x": ObjectSize(3, 1000, nbytes),
                    "x.kept": ObjectSize(chunk, 100, nbytes),
                    "y": ObjectSize(5, 50, 0),
                },
                process={"rss_bytes": resident},
            )
            for chunk, (resident, nbytes) in enumerate(zip(rss, kept, strict=True), start=1)
        )
    )


def test_what_grew_up_to_the_limit_is_a_leak_with_its_path() -> None:
    found = find_runaway(
        trace([(100 + 64 * n) * MIB for n in range(1, 14)], [64 * MIB * n for n in range(1, 14)]),
        LIMIT,
    )
    assert (found[0].path, found[0].metric) == ("x.kept", "storage_bytes")
    rss = next(r for r in found if r.path == "process")
    assert rss.slope_per_audio_hour == 64 * MIB * 6000
    assert not any(r.path == "y" for r in found)


def test_a_large_model_that_holds_still_is_none() -> None:
    assert find_runaway(trace([1000.0 * MIB] * 13, [900 * MIB] * 13), LIMIT) == ()


def test_a_step_at_the_end_is_none() -> None:
    assert find_runaway(trace([100.0 * MIB] * 12 + [1000.0 * MIB], [0] * 13), LIMIT) == ()


def test_a_few_looks_are_not_enough() -> None:
    assert find_runaway(trace([300.0 * MIB, 600.0 * MIB, 900.0 * MIB], [0, 0, 0]), LIMIT) == ()


def test_what_ran_away_takes_the_place_of_what_was_undecided() -> None:
    found = find_runaway(
        trace([(100 + 64 * n) * MIB for n in range(1, 14)], [64 * MIB * n for n in range(1, 14)]),
        LIMIT,
    )
    assert merge_runaway(found, found) == found
