//! Reads a message as a service would, and keeps every fault.

use serde_json::{Map, Value};

use super::{Fault, Violation, units};

/// An object within the message, and where it stands.
#[derive(Clone)]
pub(super) struct Place<'a> {
    pub(super) object: &'a Map<String, Value>,
    pub(super) pointer: String,
}

/// The faults found so far.
#[derive(Default)]
pub(super) struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    pub(super) fn finish(self) -> Vec<Violation> {
        self.violations
    }

    pub(super) fn add(&mut self, pointer: impl Into<String>, fault: Fault) {
        self.violations.push(Violation { pointer: pointer.into(), fault });
    }

    pub(super) fn object<'a>(&mut self, value: &'a Value, pointer: String) -> Option<Place<'a>> {
        let object = value.as_object();
        if object.is_none() {
            self.add(pointer.as_str(), Fault::Expected("an object"));
        }
        object.map(|object| Place { object, pointer })
    }

    /// An object that may be missing.
    pub(super) fn child<'a>(&mut self, place: &Place<'a>, key: &str) -> Option<Place<'a>> {
        let value = present(place, key)?;
        self.object(value, place.at(key))
    }

    pub(super) fn required_child<'a>(&mut self, place: &Place<'a>, key: &str) -> Option<Place<'a>> {
        if present(place, key).is_none() {
            self.add(place.at(key), Fault::Missing);
        }
        self.child(place, key)
    }

    /// A text that may be missing, but not empty.
    pub(super) fn text<'a>(&mut self, place: &Place<'a>, key: &str, limit: usize) -> Option<&'a str> {
        let value = present(place, key)?;
        let Some(text) = value.as_str() else {
            self.add(place.at(key), Fault::Expected("a text"));
            return None;
        };
        if text.is_empty() {
            self.add(place.at(key), Fault::Missing);
        }
        self.fits(place.at(key), units(text), limit);
        Some(text)
    }

    pub(super) fn required_text<'a>(
        &mut self,
        place: &Place<'a>,
        key: &str,
        limit: usize,
    ) -> Option<&'a str> {
        if present(place, key).is_none() {
            self.add(place.at(key), Fault::Missing);
        }
        self.text(place, key, limit)
    }

    /// A text that is one of `allowed`; `what` lists them.
    pub(super) fn one_of(&mut self, place: &Place<'_>, key: &str, allowed: &[&str], what: &'static str) {
        match present(place, key).map(Value::as_str) {
            None => self.add(place.at(key), Fault::Missing),
            Some(Some(text)) if allowed.contains(&text) => {}
            Some(_) => self.add(place.at(key), Fault::Expected(what)),
        }
    }

    pub(super) fn web_address(&mut self, place: &Place<'_>, key: &str, limit: usize) {
        let address = self.required_text(place, key, limit);
        if address.is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            self.add(place.at(key), Fault::Expected("an absolute web address"));
        }
    }

    /// A list that may be missing, but not longer than `limit`.
    pub(super) fn list<'a>(&mut self, place: &Place<'a>, key: &str, limit: usize) -> &'a [Value] {
        let Some(value) = present(place, key) else { return &[] };
        let Some(list) = value.as_array() else {
            self.add(place.at(key), Fault::Expected("a list"));
            return &[];
        };
        self.fits_list(place.at(key), list.len(), limit);
        list
    }

    pub(super) fn texts(&mut self, place: &Place<'_>, key: &str, entries: usize, limit: usize) {
        for (number, entry) in self.list(place, key, entries).iter().enumerate() {
            let pointer = format!("{}/{number}", place.at(key));
            match entry.as_str() {
                None => self.add(pointer, Fault::Expected("a text")),
                Some("") => self.add(pointer, Fault::Missing),
                Some(text) => self.fits(pointer, units(text), limit),
            }
        }
    }

    pub(super) fn fits(&mut self, pointer: String, found: usize, limit: usize) {
        if found > limit {
            self.add(pointer, Fault::TooLong { found, limit });
        }
    }

    pub(super) fn fits_list(&mut self, pointer: String, found: usize, limit: usize) {
        if found > limit {
            self.add(pointer, Fault::TooMany { found, limit });
        }
    }

    pub(super) fn fits_bytes(&mut self, message: &Value, limit: usize) {
        let found = message.to_string().len();
        if found > limit {
            self.add("", Fault::TooLarge { found, limit });
        }
    }

    pub(super) fn only(&mut self, place: &Place<'_>, known: &[&str]) {
        for key in place.object.keys().filter(|key| !known.contains(&key.as_str())) {
            self.add(place.at(key), Fault::Unknown);
        }
    }
}

impl Place<'_> {
    pub(super) fn at(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"))
    }
}

fn present<'a>(place: &Place<'a>, key: &str) -> Option<&'a Value> {
    place.object.get(key).filter(|value| !value.is_null())
}
