//! How a setting describes texts: `exact`, `with*wildcard?`, `/regular expression/`, `!not this`.

use std::fmt;

use regex::Regex;
use wildmatch::WildMatch;

use crate::settings::Section;

/// One or more patterns: a text fits when it fits any of them and none of those with a `!`.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    wanted: Vec<Pattern>,
    unwanted: Vec<Pattern>,
    /// As the file has them, for the explanation.
    shown: String,
}

impl Patterns {
    /// The patterns at `key`; `None` when there are none. What is no pattern is noted.
    pub(super) fn read(section: &Section, key: &str) -> Option<Self> {
        let texts = section.one_or_more(key);
        if texts.is_empty() {
            return None;
        }
        let mut patterns = Self { shown: texts.join(", "), ..Self::default() };
        for text in &texts {
            let (into, body) = match text.strip_prefix('!') {
                Some(body) => (&mut patterns.unwanted, body),
                None => (&mut patterns.wanted, text.as_str()),
            };
            match Pattern::parse(body) {
                Ok(pattern) => into.push(pattern),
                Err(problem) => section.mistake(key, format_args!("{text:?} {problem}")),
            }
        }
        Some(patterns)
    }

    /// Whether `text` fits. What is missing fits only where nothing is wanted.
    pub(super) fn fit(&self, text: Option<&str>) -> bool {
        self.fit_names(text.as_slice())
    }

    /// Whether what goes by all these names fits.
    pub(super) fn fit_names(&self, names: &[&str]) -> bool {
        let fits = |pattern: &Pattern| names.iter().any(|name| pattern.fits(name));
        (self.wanted.is_empty() || self.wanted.iter().any(fits)) && !self.unwanted.iter().any(fits)
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    /// With `*` and `?`. As a regular expression, each would take a part of a function's start.
    Wildcard(WildMatch),
    Regex(Regex),
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let between_slashes = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        if let Some(expression) = between_slashes {
            return Regex::new(expression)
                .map(Self::Regex)
                .map_err(|_| "is not a regular expression (syntax of Rust's regex crate, no look-around)");
        }
        if text.is_empty() {
            return Err("says nothing: a text, one with * or ?, or /a regular expression/");
        }
        let is_exact = !text.contains(['*', '?']);
        Ok(if is_exact { Self::Exact(text.to_owned()) } else { Self::Wildcard(WildMatch::new(text)) })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Wildcard(pattern) => pattern.matches(text),
            Self::Regex(expression) => expression.is_match(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::settings;

    use super::*;

    fn patterns(value: &str) -> Patterns {
        let text = format!("p = {value}");
        settings::read("t", &text, |root| Patterns::read(root, "p")).unwrap()
    }

    #[test]
    fn a_text_fits_exactly_by_wildcard_or_by_expression() {
        for (value, fitting, other) in [
            ("'gpt'", "gpt", "gpt-oss"),
            ("'gpt-*'", "gpt-oss-20b", "my-gpt-oss"),
            ("'a.?'", "a.b", "axb"),
            ("'/^(a|b)[0-9]+$/'", "b12", "c12"),
            ("['x', 'y*']", "yes", "no"),
            ("['*', '!test-*']", "prod-1", "test-1"),
            ("'!test-*'", "prod-1", "test-1"),
        ] {
            let patterns = patterns(value);
            assert!(patterns.fit(Some(fitting)), "{value} {fitting}");
            assert!(!patterns.fit(Some(other)), "{value} {other}");
        }
        assert!(!patterns("'*'").fit(None));
        assert!(patterns("'!x'").fit(None));
    }

    #[test]
    fn what_is_no_pattern_is_a_mistake() {
        for wrong in ["'/(/'", "'!'", "''", "[1]", "1"] {
            let text = format!("p = {wrong}");
            assert!(settings::read("t", &text, |root| Some(Patterns::read(root, "p"))).is_err(), "{wrong}");
        }
    }
}
