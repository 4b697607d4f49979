"""Presents what a run found: reads what is on disk, judges and measures nothing.

=================== ==============================================================
`folder`            :func:`~leakbench.report.folder.write_report`: everything below
                    for one run folder, finished or not
`rows`              one place that formats numbers and puts the worst first
`summary`           Markdown and GitHub annotations
`junit`             JUnit XML
`page`              the self-contained HTML page
`leaks`             who holds and who allocates what leaks, since when, bounded by what
`leak_text`         the same in words, of `phrases`
`commands`          what to type to know more
`plots`, `figures`  matplotlib figures, and how they are saved
`compare`           two or more runs side by side
`history`           many runs over time
=================== ==============================================================

Nothing is imported here, so that text reports do not pay for matplotlib.
"""
