//! The matching itself, without Python: words, their distance, and the closest ones of a vocabulary.
//!
//! The distance is the *optimal string alignment* distance: the smallest number of insertions, deletions,
//! substitutions and swaps of two neighbours that turns one word into the other, where no part is edited twice.
//! A letter is a Unicode code point. Nothing is normalised and case counts.

#![forbid(unsafe_code)]

use std::borrow::Borrow;
use std::collections::BinaryHeap;
use std::hash::{Hash, Hasher};

use indexmap::IndexSet;
use rapidfuzz::distance::osa;

/// The most code points a word may have.
///
/// Time grows with the product of two lengths; two unlike words of this length take about 15 ms
/// (docs/performance.md), so whatever runs between two comparisons, such as Ctrl-C, is never far away.
pub const MAX_WORD_LENGTH: usize = 10_000;

/// The work between two checkpoints, about 10 ms of it: the crate handles 64 cells of the distance table at once,
/// and that counts as one.
const CHECKPOINT_COST: usize = 1 << 21;

/// A word with more than [`MAX_WORD_LENGTH`] code points.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{length} code points are more than the {MAX_WORD_LENGTH} that a word may have")]
pub struct TooLong {
    /// How many code points the word has.
    pub length: usize,
}

/// Text that is short enough to be compared. Equal and hashed as its text.
#[derive(Clone, Debug)]
pub struct Word {
    text: Box<str>,
    length: usize,
}

impl Word {
    /// Takes a copy of `text`.
    ///
    /// # Errors
    /// If it has more than [`MAX_WORD_LENGTH`] code points.
    pub fn new(text: &str) -> Result<Self, TooLong> {
        match text.chars().count() {
            length if length > MAX_WORD_LENGTH => Err(TooLong { length }),
            length => Ok(Self {
                text: text.into(),
                length,
            }),
        }
    }

    /// The word as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Word {}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.text
    }
}

/// A word of a vocabulary and how far it is from the one that was looked up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Match<'v> {
    /// The word, as the vocabulary holds it.
    pub word: &'v str,
    /// Edits between the two words.
    pub distance: usize,
}

/// Distinct words in the order in which they first came.
#[derive(Debug, Default)]
pub struct Vocabulary {
    words: IndexSet<Word>,
}

impl FromIterator<Word> for Vocabulary {
    fn from_iter<I: IntoIterator<Item = Word>>(words: I) -> Self {
        Self {
            words: words.into_iter().collect(),
        }
    }
}

impl Vocabulary {
    /// How many distinct words there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.words.len()
    }

    /// Whether exactly this word is among them.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    /// The words in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(Word::as_str)
    }

    /// At most `limit` words no further than `max_distance` from `word`: nearest first, ties in the vocabulary's order.
    ///
    /// `checkpoint` is called between comparisons, about every 10 ms.
    ///
    /// # Errors
    /// The first one of `checkpoint`'s, which ends the search.
    pub fn closest<E>(
        &self,
        word: &Word,
        limit: usize,
        max_distance: usize,
        mut checkpoint: impl FnMut() -> Result<(), E>,
    ) -> Result<Vec<Match<'_>>, E> {
        let comparator = osa::BatchComparator::new(word.text.chars());
        // The greatest (distance, position) is on top: the one that a better word displaces.
        let mut best: BinaryHeap<(usize, usize)> = BinaryHeap::new();
        let mut cost = 0;
        for (position, candidate) in self.words.iter().enumerate() {
            let bound = match best.peek() {
                Some(&(0, _)) if best.len() == limit => break,
                Some(&(worst, _)) if best.len() == limit => worst - 1,
                _ => max_distance,
            };
            cost += 1;
            if word.length.abs_diff(candidate.length) <= bound {
                let within = osa::Args::default().score_cutoff(bound);
                if let Some(distance) =
                    comparator.distance_with_args(candidate.text.chars(), &within)
                {
                    best.push((distance, position));
                    if best.len() > limit {
                        best.pop();
                    }
                }
                cost += word.length.div_ceil(64) * candidate.length;
            }
            if cost >= CHECKPOINT_COST {
                cost = 0;
                checkpoint()?;
            }
        }
        Ok(best
            .into_sorted_vec()
            .into_iter()
            .filter_map(|(distance, position)| {
                let word = self.words.get_index(position)?.as_str();
                Some(Match { word, distance })
            })
            .collect())
    }
}

/// The number of edits that turn `a` into `b`.
#[must_use]
pub fn distance(a: &Word, b: &Word) -> usize {
    osa::distance(a.text.chars(), b.text.chars())
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a panic is how a test fails"
)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn word(text: &str) -> Word {
        Word::new(text).unwrap()
    }

    fn distance(a: &str, b: &str) -> usize {
        super::distance(&word(a), &word(b))
    }

    fn vocabulary(words: &[&str]) -> Vocabulary {
        words.iter().map(|text| word(text)).collect()
    }

    fn closest(
        words: &[&str],
        word: &str,
        limit: usize,
        max_distance: usize,
    ) -> Vec<(String, usize)> {
        let vocabulary = vocabulary(words);
        let Ok(matches) = vocabulary.closest(&self::word(word), limit, max_distance, || {
            Ok::<_, Infallible>(())
        });
        matches
            .iter()
            .map(|found| (found.word.to_owned(), found.distance))
            .collect()
    }

    /// The textbook's table, cell by cell, to compare the crate's bit-parallel one with.
    fn textbook(a: &str, b: &str) -> usize {
        let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                };
            }
        }
        table[a.len()][b.len()]
    }

    /// Words over a small alphabet, so that they have much in common; the same in every run.
    fn random_words(count: usize, longest: u64) -> Vec<String> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let alphabet = ['a', 'b', 'ß', '語', '🦀'];
        (0..count)
            .map(|_| {
                let length = next(longest + 1);
                (0..length).map(|_| alphabet[next(5) as usize]).collect()
            })
            .collect()
    }

    #[test]
    fn a_distance_counts_each_kind_of_edit_once() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("wheel", "wheel", 0),
            ("wheel", "wheels", 1),
            ("wheel", "heel", 1),
            ("wheel", "steel", 2),
            ("wheel", "hweel", 1),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_distance_counts_code_points() {
        assert_eq!(distance("🦀", "x"), 1);
        assert_eq!(distance("e\u{301}", "é"), 2);
    }

    #[test]
    fn distances_are_those_of_the_textbook() {
        // 64 letters fit one machine word; longer ones take another path through the crate.
        for longest in [8, 70, 200] {
            for pair in random_words(300, longest).windows(2) {
                let [a, b] = pair else { unreachable!() };
                assert_eq!(distance(a, b), textbook(a, b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_closest_are_those_of_a_full_sort() {
        for longest in [4, 80] {
            let words = random_words(400, longest);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let vocabulary = vocabulary(&words);
            for word in words.iter().step_by(40) {
                for (limit, max_distance) in
                    [(1, 9), (3, 2), (7, usize::MAX), (usize::MAX, usize::MAX)]
                {
                    let mut expected: Vec<(String, usize)> = vocabulary
                        .iter()
                        .map(|candidate| (candidate.to_owned(), textbook(word, candidate)))
                        .filter(|(_, distance)| *distance <= max_distance)
                        .collect();
                    expected.sort_by_key(|(_, distance)| *distance);
                    expected.truncate(limit);
                    assert_eq!(closest(&words, word, limit, max_distance), expected);
                }
            }
        }
    }

    #[test]
    fn a_vocabulary_holds_each_word_once_in_the_order_of_arrival() {
        let vocabulary = vocabulary(&["b", "a", "b", "c", "a"]);
        assert_eq!(vocabulary.iter().collect::<Vec<_>>(), ["b", "a", "c"]);
        assert_eq!(vocabulary.size(), 3);
        assert!(vocabulary.contains("a") && !vocabulary.contains("d"));
    }

    #[test]
    fn a_word_has_a_greatest_length() {
        let longest = "ü".repeat(MAX_WORD_LENGTH);
        let longer = "ü".repeat(MAX_WORD_LENGTH + 1);
        let error = TooLong {
            length: MAX_WORD_LENGTH + 1,
        };
        assert_eq!(distance(&longest, "ü"), MAX_WORD_LENGTH - 1);
        assert_eq!(Word::new(&longer).unwrap_err(), error);
    }

    #[test]
    fn an_error_at_a_checkpoint_ends_the_search() {
        let words: Vec<String> = (0..100_000).map(|number| format!("{number:030}")).collect();
        let vocabulary: Vocabulary = words.iter().map(|text| word(text)).collect();
        let mut checkpoints = 0;
        let found = vocabulary.closest(&word("x"), 3, usize::MAX, || {
            checkpoints += 1;
            Err("stop")
        });
        assert_eq!(found, Err("stop"));
        assert_eq!(checkpoints, 1);
    }
}
