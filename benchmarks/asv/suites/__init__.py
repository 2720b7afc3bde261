"""Pieces timed by asv, to find a regression by comparing two commits.

``asv --config benchmarks/asv/asv.conf.json continuous main HEAD`` times both in environments of
their own, in which only the package is installed: nothing else of this repository is imported.
"""
