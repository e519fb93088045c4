//! The binding: what Python passes in becomes words, the interpreter is released, and `core` does the work.
//!
//! Read it from the bottom: the last module is the list of what Python sees.
//! The promises (defaults, units, what is raised) stand in `python/ferrous_wheel/_core.pyi`.

mod core;
mod error;

use std::fmt::Write;

use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::core::Word;
use crate::error::Error;

/// How many items of an iterable are taken between two looks for Ctrl-C.
const ITEMS_PER_CHECKPOINT: usize = 1 << 12;

/// How many words a `repr` shows.
const WORDS_IN_REPR: usize = 3;

/// A word and its distance from the one that was looked up.
#[pyclass(frozen, get_all, eq, hash, module = "ferrous_wheel")]
#[derive(Debug, Eq, Hash, PartialEq)]
struct Match {
    word: String,
    distance: usize,
}

#[pymethods]
impl Match {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str) {
        ("word", "distance")
    }

    #[new]
    fn new(word: String, distance: usize) -> Self {
        Self { word, distance }
    }

    /// For `pickle` and `copy`.
    fn __getnewargs__(&self) -> (&str, usize) {
        (&self.word, self.distance)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let word = PyString::new(py, &self.word).repr()?;
        Ok(format!("Match(word={word}, distance={})", self.distance))
    }
}

impl From<&core::Match<'_>> for Match {
    fn from(found: &core::Match<'_>) -> Self {
        Self {
            word: found.word.to_owned(),
            distance: found.distance,
        }
    }
}

/// Words to look up the closest of, again and again.
#[pyclass(frozen, module = "ferrous_wheel")]
#[derive(Debug)]
struct Vocabulary(core::Vocabulary);

#[pymethods]
impl Vocabulary {
    #[new]
    fn new(words: &Bound<'_, PyAny>) -> Result<Self, Error> {
        to_vocabulary(words, "words").map(Self)
    }

    /// Return the closest words to `word`.
    #[pyo3(signature = (word, *, limit=3, max_distance=None))]
    fn closest(
        &self,
        py: Python<'_>,
        word: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = limit)] limit: usize,
        #[pyo3(from_py_with = max_distance)] max_distance: Option<usize>,
    ) -> Result<Vec<Match>, Error> {
        let word = to_word(word, || "word".into())?;
        look_up(py, &word, &self.0, limit, max_distance)
    }

    fn __len__(&self) -> usize {
        self.0.size()
    }

    fn __contains__(&self, word: &Bound<'_, PyAny>) -> bool {
        // What is no text is not among the words, as with a set of str.
        let word = word.cast::<PyString>().ok();
        word.is_some_and(|word| word.to_str().is_ok_and(|word| self.0.contains(word)))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let mut text = format!("<Vocabulary of {}", self.0.size());
        for (position, word) in self.0.iter().take(WORDS_IN_REPR).enumerate() {
            let before = if position == 0 { ": " } else { ", " };
            let word = PyString::new(py, word).repr()?;
            let _ = write!(text, "{before}{word}");
        }
        text.push_str(if self.0.size() > WORDS_IN_REPR {
            ", …>"
        } else {
            ">"
        });
        Ok(text)
    }
}

/// Return the number of edits between two words.
#[pyfunction]
fn distance(py: Python<'_>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> Result<usize, Error> {
    let (a, b) = (to_word(a, || "a".into())?, to_word(b, || "b".into())?);
    Ok(py.detach(|| core::distance(&a, &b)))
}

/// Return the closest of the candidates to a word.
#[pyfunction]
#[pyo3(signature = (word, candidates, *, limit=3, max_distance=None))]
fn closest(
    py: Python<'_>,
    word: &Bound<'_, PyAny>,
    candidates: &Bound<'_, PyAny>,
    #[pyo3(from_py_with = limit)] limit: usize,
    #[pyo3(from_py_with = max_distance)] max_distance: Option<usize>,
) -> Result<Vec<Match>, Error> {
    let word = to_word(word, || "word".into())?;
    let candidates = to_vocabulary(candidates, "candidates")?;
    look_up(py, &word, &candidates, limit, max_distance)
}

/// End this call as a panic in the core would.
#[cfg(feature = "panic-probe")]
#[pyfunction]
#[expect(clippy::panic, reason = "this is what it is for")]
fn panic_probe(py: Python<'_>) {
    py.detach(|| panic!("probe"));
}

/// Search with the interpreter released, and look for Ctrl-C at each checkpoint.
fn look_up(
    py: Python<'_>,
    word: &Word,
    vocabulary: &core::Vocabulary,
    limit: usize,
    max_distance: Option<usize>,
) -> Result<Vec<Match>, Error> {
    let max_distance = max_distance.unwrap_or(usize::MAX);
    py.detach(|| {
        let checkpoint = || Python::attach(|py| Ok::<_, Error>(py.check_signals()?));
        let found = vocabulary.closest(word, limit, max_distance, checkpoint)?;
        Ok(found.iter().map(Match::from).collect())
    })
}

/// The text of a Python str. `argument` names it in an error.
fn to_word(value: &Bound<'_, PyAny>, argument: impl FnOnce() -> String) -> Result<Word, Error> {
    let Ok(value) = value.cast::<PyString>() else {
        return Err(Error::wrong_type(argument(), "str", value, None));
    };
    match value.to_str().map(Word::new) {
        Ok(Ok(word)) => Ok(word),
        Ok(Err(source)) => Err(Error::WordTooLong {
            argument: argument(),
            source,
        }),
        Err(source) => Err(Error::InvalidWord {
            argument: argument(),
            source,
        }),
    }
}

/// The words of an iterable. `argument` names it in an error.
fn to_vocabulary(values: &Bound<'_, PyAny>, argument: &str) -> Result<core::Vocabulary, Error> {
    let wrong = |source| Error::wrong_type(argument.into(), "an iterable of str", values, source);
    // A str is an iterable of str too, and never what was meant.
    if values.is_instance_of::<PyString>() {
        return Err(wrong(None));
    }
    let iterator = values.try_iter().map_err(|raised| {
        if raised.is_instance_of::<PyTypeError>(values.py()) {
            wrong(Some(raised))
        } else {
            raised.into()
        }
    })?;
    let mut words = Vec::new();
    for (position, value) in iterator.enumerate() {
        words.push(to_word(&value?, || format!("{argument}[{position}]"))?);
        if position % ITEMS_PER_CHECKPOINT == 0 {
            values.py().check_signals()?;
        }
    }
    Ok(values.py().detach(|| words.into_iter().collect()))
}

fn limit(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    Ok(count(value, "limit", 1)?)
}

fn max_distance(value: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    if value.is_none() {
        return Ok(None);
    }
    Ok(Some(count(value, "max_distance", 0)?))
}

/// A Python int of at least `least`; one that is too big for the machine is as good as the biggest.
fn count(value: &Bound<'_, PyAny>, argument: &str, least: usize) -> Result<usize, Error> {
    let argument = argument.into();
    match value.extract() {
        Ok(count) if count >= least => Ok(count),
        Err(raised) if raised.is_instance_of::<PyTypeError>(value.py()) => {
            Err(Error::wrong_type(argument, "int", value, Some(raised)))
        }
        Err(raised) if !raised.is_instance_of::<PyOverflowError>(value.py()) => Err(raised.into()),
        Err(_) if value.gt(0)? => Ok(usize::MAX),
        _ => Err(Error::OutOfRange { argument, least }),
    }
}

#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::{Match, Vocabulary, closest, distance};

    #[cfg(feature = "panic-probe")]
    #[pymodule_export]
    use super::panic_probe;

    #[pymodule_export]
    const MAX_WORD_LENGTH: usize = super::core::MAX_WORD_LENGTH;

    /// "release" or "debug": what this file was built as.
    #[pymodule_export]
    const BUILD_PROFILE: &str = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
}
