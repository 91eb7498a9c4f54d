//! Reads a TOML file that an operator edits and reports every mistake in it at once, each with its
//! place. serde would stop at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Everything wrong with one source of configuration, each with the key it stands at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Mistakes {
    /// The file or environment that was read.
    pub source_name: String,
    /// One entry a mistake: `key: what is wrong and what would be right`.
    pub list: Vec<String>,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.list.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{} has {count} {noun}:", self.source_name)?;
        for mistake in &self.list {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl Mistakes {
    /// Both results, or the mistakes of both.
    ///
    /// # Errors
    /// All mistakes, under both names.
    pub fn in_both<A, B>(one: Result<A, Self>, other: Result<B, Self>) -> Result<(A, B), Self> {
        match (one, other) {
            (Ok(one), Ok(other)) => Ok((one, other)),
            (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes),
            (Err(one), Err(other)) => Err(Self {
                source_name: format!("{} and {}", one.source_name, other.source_name),
                list: one.list.into_iter().chain(other.list).collect(),
            }),
        }
    }
}

/// A table of a settings file that is being read. Sections share one list of mistakes.
#[derive(Debug)]
pub struct Section<'a> {
    path: String,
    file: &'a str,
    table: &'a DeTable<'a>,
    read: RefCell<BTreeSet<String>>,
    mistakes: Rc<RefCell<Vec<String>>>,
}

/// Reads `text` with `read`, which takes what it needs from the root section and notes what is
/// wrong. Keys that `read` never asked for are mistakes too.
///
/// # Errors
/// All mistakes found, or the syntax error with its line when `text` is not TOML.
pub fn read<T>(
    source_name: &str,
    text: &str,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Result<T, Mistakes> {
    let fail = |list: Vec<String>| Mistakes { source_name: source_name.to_owned(), list };
    let table = DeTable::parse(text).map_err(|error| fail(vec![syntax_mistake(text, &error)]))?;
    let root = Section {
        path: String::new(),
        file: text,
        table: table.get_ref(),
        read: RefCell::default(),
        mistakes: Rc::default(),
    };
    let value = read(&root);
    root.note_unknown_keys();
    let list = root.mistakes.take();
    match value {
        Some(value) if list.is_empty() => Ok(value),
        _ if list.is_empty() => Err(fail(vec!["nothing could be read".to_owned()])),
        _ => Err(fail(list)),
    }
}

fn syntax_mistake(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

impl<'a> Section<'a> {
    /// Notes a mistake at `key` of this section (the section itself when `key` is empty).
    pub fn mistake(&self, key: &str, problem: impl fmt::Display) {
        self.mistakes.borrow_mut().push(format!("{}: {problem}", self.place(key)));
    }

    /// The full path of `key`, as an operator would look for it.
    pub fn place(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, true) => "file".to_owned(),
            (true, false) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    /// Whether the section has `key` at all.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The keys of a section whose keys are data (names, prefixes), in file order; they count as
    /// read.
    pub fn keys(&self) -> Vec<String> {
        let keys: Vec<String> = self.table.keys().map(ToString::to_string).collect();
        self.read.borrow_mut().extend(keys.iter().cloned());
        keys
    }

    /// A text, or `None` with a mistake noted when it is missing, empty or no text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.required(key).and_then(|value| self.as_text(key, value))
    }

    /// A text that may be missing.
    pub fn optional_text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(|value| self.as_text(key, value))
    }

    /// A finite number (integer or float) that `is_right` accepts; else a mistake that says what
    /// is `wanted`.
    pub fn number(&self, key: &str, wanted: &str, is_right: impl Fn(f64) -> bool) -> Option<f64> {
        self.required(key).and_then(|value| self.as_number(key, value, wanted, is_right))
    }

    /// A number that may be missing.
    pub fn optional_number(&self, key: &str, wanted: &str, is_right: impl Fn(f64) -> bool) -> Option<f64> {
        self.get(key).and_then(|value| self.as_number(key, value, wanted, is_right))
    }

    /// A whole number that may be missing.
    pub fn optional_whole(&self, key: &str, wanted: &str, is_right: impl Fn(u64) -> bool) -> Option<u64> {
        let value = self.get(key)?;
        match whole(value.get_ref()).and_then(|number| u64::try_from(number).ok()) {
            Some(number) if is_right(number) => Some(number),
            _ => {
                self.mistake(key, format_args!("must be {wanted}, is {}", self.shown(value)));
                None
            }
        }
    }

    /// A text where a secret may stand by mistake: whatever stands there is not repeated.
    pub fn unshown_text(&self, key: &str) -> Option<String> {
        let value = self.required(key)?;
        if value.get_ref().is_str() {
            return self.as_text(key, value);
        }
        self.mistake(key, "must be a text");
        None
    }

    /// A whole number.
    pub fn whole(&self, key: &str, wanted: &str, is_right: impl Fn(u64) -> bool) -> Option<u64> {
        self.required(key)?;
        self.optional_whole(key, wanted, is_right)
    }

    /// `true` or `false`, or `default` when it is missing.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        let Some(value) = self.get(key) else { return default };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.mistake(key, format_args!("must be true or false, is {}", self.shown(value)));
            default
        })
    }

    /// A list of texts; empty when it is missing.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.mistake(key, format_args!("must be a list of texts, is {}", self.shown(value)));
            return Vec::new();
        };
        items.iter().filter_map(|item| self.as_text(key, item)).collect()
    }

    /// A text or a list of texts; empty when it is missing.
    pub fn one_or_more(&self, key: &str) -> Vec<String> {
        match self.get(key) {
            Some(value) if value.get_ref().is_str() => self.optional_text(key).into_iter().collect(),
            _ => self.texts(key),
        }
    }

    /// A sub-table `[key]`; `None` when it is missing.
    pub fn section(&self, key: &str) -> Option<Self> {
        let value = self.get(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.mistake(key, format_args!("must be a table, is {}", self.shown(value)));
            return None;
        };
        Some(self.child(self.place(key), table))
    }

    /// The tables of `[[key]]`; empty when it is missing.
    pub fn sections(&self, key: &str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.mistake(key, format_args!("must be a list of tables ([[{key}]]), is {}", self.shown(value)));
            return Vec::new();
        };
        let child = |(index, item): (usize, &'a Spanned<DeValue<'a>>)| {
            let place = format!("{}[{index}]", self.place(key));
            if let Some(table) = item.get_ref().as_table() {
                return Some(self.child(place, table));
            }
            self.mistakes.borrow_mut().push(format!("{place}: must be a table, is {}", self.shown(item)));
            None
        };
        items.iter().enumerate().filter_map(child).collect()
    }

    fn child(&self, path: String, table: &'a DeTable<'a>) -> Self {
        Self { path, file: self.file, table, read: RefCell::default(), mistakes: Rc::clone(&self.mistakes) }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.read.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    fn required(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        let value = self.get(key);
        if value.is_none() {
            self.mistake(key, "is missing");
        }
        value
    }

    fn as_text(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.mistake(key, "must not be empty");
                None
            }
            None => {
                self.mistake(key, format_args!("must be a text, is {}", self.shown(value)));
                None
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "settings are small numbers")]
    fn as_number(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        wanted: &str,
        is_right: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().ok(),
            other => whole(other).map(|whole| whole as f64),
        };
        match number {
            Some(number) if number.is_finite() && is_right(number) => Some(number),
            _ => {
                self.mistake(key, format_args!("must be {wanted}, is {}", self.shown(value)));
                None
            }
        }
    }

    /// `value` as the file has it, or its beginning.
    fn shown(&self, value: &Spanned<DeValue<'_>>) -> String {
        let text = self.file.get(value.span()).unwrap_or_default();
        if text.chars().count() <= 40 {
            text.to_owned()
        } else {
            text.chars().take(40).chain("...".chars()).collect()
        }
    }

    fn note_unknown_keys(&self) {
        let read = self.read.borrow();
        for key in self.table.keys().filter(|key| !read.contains(key.get_ref().as_ref())) {
            let known: Vec<&str> = read.iter().map(String::as_str).collect();
            self.mistake(key.get_ref(), format_args!("is not a setting; known here: {}", known.join(", ")));
        }
    }
}

/// Every section reports its unknown keys when its reader is done with it. The root does so in
/// [`read`], whose list must be complete before it is dropped.
impl Drop for Section<'_> {
    fn drop(&mut self) {
        if !self.path.is_empty() {
            self.note_unknown_keys();
        }
    }
}

fn whole(value: &DeValue<'_>) -> Option<i64> {
    value.as_integer().and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_mistake_with_its_place() {
        let text = "id = 3\nweight = -1\ntypo = 1\n[[level]]\nscore = 'x'\n[[level]]\nscore = 2\nmore = 1\n";
        let error = read("rubric.toml", text, |root| {
            let id = root.text("id");
            root.number("weight", "a number above 0", |weight| weight > 0.0);
            root.text("name");
            for level in root.sections("level") {
                level.whole("score", "a whole number from 0 to 5", |score| score <= 5);
            }
            id
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "rubric.toml has 6 mistakes:\n  \
             - id: must be a text, is 3\n  \
             - weight: must be a number above 0, is -1\n  \
             - name: is missing\n  \
             - level[0].score: must be a whole number from 0 to 5, is 'x'\n  \
             - level[1].more: is not a setting; known here: score\n  \
             - typo: is not a setting; known here: id, level, name, weight"
        );
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let error = read("fleet.toml", "a = 1\nb = = 2\n", |_| Some(())).unwrap_err();
        assert!(error.to_string().contains("line 2:"), "{error}");
    }
}
