"""From a run's folder to its result: reads what workers wrote, asks for verdicts, adds up.

The only way to a result, whether the run has just ended, goes on, or was killed last week.
"""

from leakbench.conclude.conclusion import conclude
from leakbench.conclude.looks import Look, look_at_cell
from leakbench.conclude.outcome import overall_outcome

__all__ = ["Look", "conclude", "look_at_cell", "overall_outcome"]
