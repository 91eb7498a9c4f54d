//! Searching for any of a few dozen literals at once, at memory speed.

use aho_corasick::packed;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, Span};

/// A set of literals.
///
/// The vectorised search of `aho-corasick` is used directly: its automaton, which uses it as a
/// prefilter, falls back to a step per byte when candidates are frequent, and was five times
/// slower on prose. The automaton is only built where the processor has no vector instructions.
pub(super) struct Literals {
    packed: Option<packed::Searcher>,
    automaton: Option<AhoCorasick>,
}

/// Where a literal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// Which one, by its place in the list.
    pub(super) literal: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Literals {
    /// At most 64 literals of at least two bytes; if one is a prefix of another, the earlier one
    /// in the list is found.
    pub(super) fn new(literals: impl Iterator<Item = &'static str> + Clone) -> Self {
        let packed = packed::Config::new().builder().extend(literals.clone()).build();
        let automaton = || {
            AhoCorasick::builder()
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .match_kind(MatchKind::LeftmostFirst)
                .build(literals)
                // The lists here are far below every limit of the builder, as tests show.
                .ok()
        };
        Self { automaton: if packed.is_none() { automaton() } else { None }, packed }
    }

    /// The first hit at or after a place.
    pub(super) fn find_from(&self, text: &str, from: usize) -> Option<Hit> {
        let span = Span { start: from, end: text.len() };
        let hit = match &self.packed {
            Some(packed) => packed.find_in(text, span),
            None => self.automaton.as_ref()?.find(aho_corasick::Input::new(text).span(span)),
        }?;
        Some(Hit { literal: hit.pattern().as_usize(), start: hit.start(), end: hit.end() })
    }

    /// All hits, none overlapping another.
    pub(super) fn hits(&self, text: &str) -> impl Iterator<Item = Hit> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let hit = self.find_from(text, from)?;
            from = hit.end;
            Some(hit)
        })
    }

    /// Whether any of them stands in the text.
    pub(super) fn any_in(&self, text: &str) -> bool {
        self.find_from(text, 0).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_find_the_same() {
        let words = ["sk-", "://", "eyJ", "hf_"];
        let searcher = Literals::new(words.into_iter());
        let automaton = Literals { packed: None, automaton: AhoCorasick::new(words).ok() };
        let text = format!("{}sk-eyJ hf_{}://sk-", "a".repeat(70), "é".repeat(40));
        let hits: Vec<Hit> = searcher.hits(&text).collect();
        assert_eq!(hits.len(), 5);
        assert_eq!(hits, automaton.hits(&text).collect::<Vec<_>>());
        assert!(hits.iter().all(|hit| text[hit.start..hit.end] == *words[hit.literal]));
        assert!(!searcher.any_in("sk eyj"));
    }
}
