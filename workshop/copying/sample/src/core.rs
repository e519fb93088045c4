//! The work itself, without Python.

#![forbid(unsafe_code)]

/// Return the first letter of each word.
#[must_use]
pub fn initials(text: &str) -> String {
    text.split_whitespace()
        .filter_map(|word| word.chars().next())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn letters_are_characters_and_not_bytes() {
        assert_eq!(initials("élan vital"), "év");
    }
}
