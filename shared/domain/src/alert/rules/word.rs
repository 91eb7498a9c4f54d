//! Settings whose values are words of a fixed list.

use crate::settings::Section;

/// A word and what it stands for.
pub(super) type Word<T> = (&'static str, T);

/// What the word at `key` stands for; `None` when it is missing or unknown, which is noted.
pub(super) fn read_word<T: Copy>(section: &Section, key: &str, words: &[Word<T>]) -> Option<T> {
    let text = section.optional_text(key)?;
    known(section, key, &text, words)
}

/// What the words at `key`, one or a list, stand for. Unknown ones are noted.
pub(super) fn read_words<T: Copy>(section: &Section, key: &str, words: &[Word<T>]) -> Vec<T> {
    section.one_or_more(key).iter().filter_map(|text| known(section, key, text, words)).collect()
}

fn known<T: Copy>(section: &Section, key: &str, text: &str, words: &[Word<T>]) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        section.mistake(key, format_args!("{text:?} is not one of {}", all.join(", ")));
    }
    found
}
