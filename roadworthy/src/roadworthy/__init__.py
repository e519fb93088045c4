"""The engine of a Python package with a Rust core: how it is built, checked, verified and released.

For everybody: `roadworthy.gate.check.check`, `roadworthy.gate.model.Finding` and `roadworthy.project.Project`.
"""
