"""Since when: which release or commit first leaked, or was first fixed.

==============  ====================================================================
``releases``    what is on the package index, oldest first
``commits``     what is in a checkout, each commit in a worktree of its own
``candidates``  a line of either between two specs
``search``      where a line changes, in the fewest measurements; pure
``probing``     measures candidates as ordinary cells, and keeps what was measured
``paths``       what a probe says of each path
``bisection``   the search put together
``findings``    what was found, as data
``since``       the same read back, for a cell of any run
==============  ====================================================================
"""
