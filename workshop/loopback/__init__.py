"""A package index on this machine that refuses what PyPI refuses, in PyPI's words, for rehearsing a release.

What it refuses is listed once, in `refusals.py`. Everything was read in PyPI's source, which is called warehouse.
"""
