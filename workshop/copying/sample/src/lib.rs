//! The binding: what Python passes in becomes text, the interpreter is released, and `core` does the work.
//!
//! What is said here is for who changes it; what Python's users are promised stands in `_core.pyi`.

mod core;

use pyo3::prelude::*;

/// Return the first letter of each word.
#[pyfunction]
fn initials(py: Python<'_>, text: &str) -> String {
    py.detach(|| core::initials(text))
}

/// The list of what Python sees.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::initials;
}
