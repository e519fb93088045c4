//! Everything that can go wrong, and the Python exception that it becomes.

#![forbid(unsafe_code)]

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::core::TooLong;

/// What every function of the binding may fail with. `argument` is the argument as a caller would write it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{argument} is too long: {source}")]
    WordTooLong { argument: String, source: TooLong },

    #[error("{argument} holds a lone surrogate, so it is not text that can be compared")]
    InvalidWord { argument: String, source: PyErr },

    #[error("{argument} must be {expected}, not {given}")]
    WrongType {
        argument: String,
        expected: &'static str,
        given: String,
        source: Option<Box<PyErr>>,
    },

    #[error("{argument} must be {least} or greater")]
    OutOfRange { argument: String, least: usize },

    /// An exception that came from Python, on its way back there as it is.
    #[error(transparent)]
    Raised(#[from] PyErr),
}

impl Error {
    pub(crate) fn wrong_type(
        argument: String,
        expected: &'static str,
        value: &Bound<'_, PyAny>,
        source: Option<PyErr>,
    ) -> Self {
        match value.get_type().name() {
            Ok(name) => Self::WrongType {
                argument,
                expected,
                given: name.to_string(),
                source: source.map(Box::new),
            },
            Err(raised) => Self::Raised(raised),
        }
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (name, cause) = match error {
            Error::Raised(raised) => return raised,
            Error::WordTooLong { .. } => ("WordTooLongError", None),
            Error::InvalidWord { source, .. } => ("InvalidWordError", Some(source)),
            Error::WrongType { source, .. } => ("WrongTypeError", source.map(|source| *source)),
            Error::OutOfRange { .. } => ("OutOfRangeError", None),
        };
        Python::attach(|py| {
            let raised = match exception(py, name) {
                Ok(class) => PyErr::from_type(class, message),
                Err(raised) => return raised,
            };
            raised.set_cause(py, cause);
            raised
        })
    }
}

/// The classes are Python's own: with the stable ABI, a class of Rust's cannot have two exceptions as bases.
fn exception<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    Ok(py
        .import("ferrous_wheel.exceptions")?
        .getattr(name)?
        .cast_into()?)
}
