"""The engine of a Python package with a Rust core: how it is built, checked, verified and released."""
