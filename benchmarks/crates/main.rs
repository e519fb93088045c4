//! How long each crate takes for one word against 100,000, and for the two longest words that are allowed.
//! One line each: name, tab, milliseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

const LONGEST: usize = 10_000;

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn letters(count: u64, state: &mut u64) -> String {
    (0..count).map(|_| char::from(b'a' + (random(state) % 26) as u8)).collect()
}

/// The shortest of seven runs.
fn measure(name: &str, mut work: impl FnMut() -> usize) {
    let shortest = (0..7).map(|_| {
        let started = Instant::now();
        black_box(work());
        started.elapsed()
    });
    let shortest = shortest.min().unwrap_or(Duration::ZERO);
    println!("{name}\t{:.3}", shortest.as_secs_f64() * 1e3);
}

fn main() {
    let state = &mut 1;
    let words: Vec<String> = (0..100_000)
        .map(|_| {
            let length = 3 + random(state) % 12;
            letters(length, state)
        })
        .collect();
    let word = "pyhtonista";
    let comparator = rapidfuzz::distance::osa::BatchComparator::new(word.chars());
    measure("rapidfuzz", || words.iter().map(|other| comparator.distance(other.chars())).sum());
    measure("strsim", || words.iter().map(|other| strsim::osa_distance(word, other)).sum());
    measure("triple_accel (bytes, not code points)", || {
        words.iter().map(|other| triple_accel::levenshtein::rdamerau(word.as_bytes(), other.as_bytes()) as usize).sum()
    });
    let (a, b) = (letters(LONGEST as u64, state), "語".repeat(LONGEST));
    measure("two words of 10,000", || rapidfuzz::distance::osa::distance(a.chars(), b.chars()));
}
