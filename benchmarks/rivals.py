"""Rules in use elsewhere, each on one series: LEAK or FLAT, as none of them can say neither.

And :func:`judge_late_window`, the replicated procedure that ours started from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pymannkendall
import ruptures
from scipy import stats

from leakbench.verdict import Series
from leakbench.verdict.slopes import theil_sen

ALPHA: Final = 0.01
"""Level of every test below, one-sided."""


def mann_kendall(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Whether Mann-Kendall finds an upward trend."""
    return _rises(pymannkendall.original_test(values, alpha=2 * ALPHA))


def hamed_rao(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Whether Mann-Kendall with Hamed and Rao's correction for autocorrelation finds one."""
    return _rises(pymannkendall.hamed_rao_modification_test(values, alpha=2 * ALPHA))


def straight_line(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Whether a straight line over the last quarter rises faster than the budget."""
    late = times > 0.75 * times[-1]
    return float(np.polyfit(times[late], values[late], 1)[0]) > 1.0


def e_divisive(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Whether the level changes (kernel change points, then a t test), and upward."""
    scaled = (values - values.mean()) / (values.std() or 1.0)
    search = ruptures.KernelCPD(kernel="linear", min_size=5).fit(scaled[:, None])
    edges = [0, *search.predict(pen=2 * np.log(len(values)))]
    parts = [values[a:b] for a, b in pairwise(edges)]
    if len(parts) < 2:
        return False
    return bool(
        stats.ttest_ind(parts[-1], parts[0], equal_var=False, alternative="greater").pvalue < ALPHA
    )


def floors_and_line(times: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> bool:
    """Whether a line through the floors of five samples, over the later half, beats the budget."""
    whole = len(values) // 5 * 5
    floors = values[:whole].reshape(-1, 5).min(axis=1)
    middles = times[:whole].reshape(-1, 5).mean(axis=1)
    late = len(floors) // 2
    return float(np.polyfit(middles[late:], floors[late:], 1)[0]) > 1.0


RIVALS: Final[Mapping[str, Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], bool]]] = {
    "Mann-Kendall": mann_kendall,
    "Hamed-Rao": hamed_rao,
    "straight line": straight_line,
    "E-divisive": e_divisive,
    "floors and a line": floors_and_line,
}


def judge_late_window(series: Sequence[Series], looks: int) -> str:
    """Judge replicates by the procedure that ours started from.

    Theil-Sen on floors in [T/4, T/2] and [T/2, T], one-sided t intervals over replicates for
    the later one, LEAK only if late growth less 0.75 times the early is above zero; an equal
    part of the error a look.

    Returns
    -------
    ``flat``, ``leak`` or ``undecided``.
    """
    slopes = []
    for audio, values in series:
        whole = len(values) // 5 * 5
        floors = values[:whole].reshape(-1, 5).min(axis=1)
        middles = audio[:whole].reshape(-1, 5).mean(axis=1) / 3600
        quarter = len(floors) // 4
        slopes.append(
            [
                theil_sen(middles[part], floors[part])
                for part in (slice(quarter, 2 * quarter), slice(2 * quarter, None))
            ]
        )
    early, late = np.array(slopes).T
    if _bound(late, 0.01 / looks, +1) <= 1.0:
        return "flat"
    leaks = _bound(late, 0.001 / looks, -1) > 1.0
    goes_on = _bound(late - 0.75 * early, 0.001 / looks, -1) > 0
    return "leak" if leaks and goes_on else "undecided"


def _bound(slopes: npt.NDArray[np.float64], alpha: float, sign: int) -> float:
    error = slopes.std(ddof=1) / np.sqrt(len(slopes))
    return float(slopes.mean() + sign * stats.t.ppf(1 - alpha, len(slopes) - 1) * error)


def _rises(test: tuple[object, ...]) -> bool:
    return test[0] == "increasing"
