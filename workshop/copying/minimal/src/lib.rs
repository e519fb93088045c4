//! The binding: what Python passes in becomes text, the interpreter is released, and `core` does the work.
//!
//! Read it from the bottom: the last module is the list of what Python sees.
//! The promises (defaults, units, what is raised) stand in `python/ferrous_wheel/_core.pyi`.

mod core;

use pyo3::prelude::*;

/// Return the first letter of each word.
#[pyfunction]
fn initials(py: Python<'_>, text: &str) -> String {
    py.detach(|| core::initials(text))
}

/// End this call as a panic in the core would.
#[cfg(feature = "panic-probe")]
#[pyfunction]
#[expect(clippy::panic, reason = "this is what it is for")]
fn panic_probe(py: Python<'_>) {
    py.detach(|| panic!("probe"));
}

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::initials;

    #[cfg(feature = "panic-probe")]
    #[pymodule_export]
    use super::panic_probe;

    /// "release" or "debug": what this file was built as.
    #[pymodule_export]
    const BUILD_PROFILE: &str = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
}
