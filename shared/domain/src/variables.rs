//! Reads a function's environment variables and reports every mistake at once, as
//! [`crate::settings`] does for files. The variables come in as a lookup: the environment itself is
//! read in a function's `config.rs` only.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use crate::settings::Mistakes;

/// The variables of one function while they are being read.
pub struct Variables<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    mistakes: RefCell<Vec<String>>,
}

impl fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").field("mistakes", &self.mistakes).finish_non_exhaustive()
    }
}

impl<'a> Variables<'a> {
    /// Starts to read what `lookup` finds. An empty variable counts as missing, because a
    /// template cannot leave one out.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, mistakes: RefCell::default() }
    }

    /// A text that may be missing.
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// A value that may be missing, whose error says what would be right.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Option<T> {
        self.optional(name)?.parse().map_err(|error| self.mistake(name, error)).ok()
    }

    /// A value that must be there, whose error says what would be right. `None` is noted.
    pub fn needed<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Option<T> {
        self.required(name).and(self.parsed(name))
    }

    /// A text that must be there. `None` is noted.
    pub fn required(&self, name: &str) -> Option<String> {
        let text = self.optional(name);
        if text.is_none() {
            self.mistake(name, "is not set");
        }
        text
    }

    /// A value that is parsed and then accepted by `is_right`, or `default` when it is missing.
    /// A mistake says what is `wanted`.
    pub fn value<T: FromStr>(
        &self,
        name: &str,
        default: T,
        wanted: &str,
        is_right: impl Fn(&T) -> bool,
    ) -> T {
        let Some(text) = self.optional(name) else { return default };
        match text.parse::<T>() {
            Ok(value) if is_right(&value) => value,
            _ => {
                self.mistake(name, format_args!("must be {wanted}, is {text:?}"));
                default
            }
        }
    }

    /// Notes a mistake.
    pub fn mistake(&self, name: &str, problem: impl fmt::Display) {
        self.mistakes.borrow_mut().push(format!("{name}: {problem}"));
    }

    /// `value` when nothing was wrong.
    ///
    /// # Errors
    /// All mistakes noted.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Mistakes> {
        let list = self.mistakes.into_inner();
        match value {
            Some(value) if list.is_empty() => Ok(value),
            _ => Err(Mistakes { source_name: "the function's environment".to_owned(), list }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_all_mistakes() {
        let lookup = |name: &str| match name {
            "RATE" => Some("2".to_owned()),
            "COUNT" => Some("many".to_owned()),
            "EMPTY" => Some(" ".to_owned()),
            _ => None,
        };
        let variables = Variables::new(&lookup);
        variables.value("RATE", 0.1, "a number from 0 to 1", |rate| (0.0..=1.0).contains(rate));
        variables.value("COUNT", 1_u32, "a whole number", |_| true);
        assert_eq!(variables.value("ELSE", 7_u32, "a whole number", |_| true), 7);
        let empty = variables.required("EMPTY");
        assert_eq!(
            variables.finish(empty).unwrap_err().to_string(),
            "the function's environment has 3 mistakes:\n  - RATE: must be a number from 0 to 1, is \"2\"\n  \
             - COUNT: must be a whole number, is \"many\"\n  - EMPTY: is not set"
        );
    }
}
