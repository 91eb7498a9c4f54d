//! JSON that was cut, or that a template wrote without escaping what it inserted.
//!
//! Amazon Managed Prometheus' documented template inserts values as they are, so quotes, line
//! breaks and backslashes in an annotation make invalid JSON, and SNS senders cut what is too long.
//! Crates that repair JSON close what was cut as if it were whole, which would make half an alert a
//! whole one, so this is done here: linear in time, bounded in depth.

mod string;

use serde_json::{Map, Number, Value};

use string::{Place, unquoted};

/// Deeper than any alert; `serde_json` refuses what is deeper than 128.
const MAX_DEPTH: usize = 100;

/// A document as far as it could be read.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    pub(super) state: State,
}

/// How much of a document there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Valid JSON.
    Whole,
    /// Invalid, but nothing is missing.
    Repaired,
    /// It ends in the middle. Unfinished items of a list are left out, unless they are its first:
    /// then the list is left with that one.
    Cut { is_first_item_unfinished: bool },
}

impl State {
    pub(super) fn is_cut(self) -> bool {
        matches!(self, Self::Cut { .. })
    }
}

/// Reads an object or a list.
pub(super) fn read(text: &str) -> Document {
    match serde_json::from_str(text) {
        Ok(value) => Document { value, state: State::Whole },
        Err(_) => Reader { text, at: 0, open: Vec::new() }.read(),
    }
}

/// An object or list that is not closed yet.
enum Open {
    Object(Map<String, Value>, Option<String>),
    List(Vec<Value>),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
}

/// What comes next.
enum Step {
    Value(Value),
    Entered,
    End,
}

impl Reader<'_> {
    fn read(mut self) -> Document {
        loop {
            match self.step() {
                Step::Entered => {}
                Step::Value(value) => match self.open.last_mut() {
                    None => return Document { value, state: State::Repaired },
                    Some(Open::List(items)) => items.push(value),
                    Some(Open::Object(members, key)) => {
                        if let Some(key) = key.take() {
                            members.insert(key, value);
                        }
                    }
                },
                Step::End => return self.close(),
            }
        }
    }

    fn step(&mut self) -> Step {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',');
        let place = match self.open.last_mut() {
            Some(Open::Object(_, key @ None)) => {
                if self.text.as_bytes().get(self.at) == Some(&b'}') {
                    return self.leave();
                }
                let Some(start) = after_quote(self.text, self.at) else { return Step::End };
                let name = unquoted(self.text, start, Place::Name);
                let colon = string::skip_blank(self.text, name.end);
                if self.text.as_bytes().get(colon) != Some(&b':') {
                    return Step::End;
                }
                self.at = string::skip_blank(self.text, colon + 1);
                *key = Some(name.text);
                Place::Member
            }
            Some(Open::Object(..)) => Place::Member,
            Some(Open::List(_)) | None => Place::Item,
        };
        match self.text.as_bytes().get(self.at) {
            None => Step::End,
            Some(b'{') => self.enter(Open::Object(Map::new(), None)),
            Some(b'[') => self.enter(Open::List(Vec::new())),
            Some(b']') if place == Place::Item => self.leave(),
            Some(b'"') => self.quoted(place),
            Some(b',' | b'}') if place == Place::Member => Step::Value(Value::Null),
            Some(_) => self.bare(),
        }
    }

    fn enter(&mut self, open: Open) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Step::End;
        }
        self.at += 1;
        self.open.push(open);
        Step::Entered
    }

    fn leave(&mut self) -> Step {
        self.at += 1;
        match self.open.pop() {
            Some(Open::Object(members, _)) => Step::Value(Value::Object(members)),
            Some(Open::List(items)) => Step::Value(Value::Array(items)),
            None => Step::End,
        }
    }

    fn quoted(&mut self, place: Place) -> Step {
        let found = unquoted(self.text, self.at + 1, place);
        self.at = found.end;
        // Half a name or number would be a wrong one. The outermost members are the exception:
        // there an unfinished text is the body itself.
        let is_kept = found.is_finished || (self.open.len() == 1 && place == Place::Member);
        if is_kept { Step::Value(Value::String(found.text)) } else { Step::End }
    }

    /// A number, `true`, `false`, `null`, or a text that somebody forgot to quote.
    fn bare(&mut self) -> Step {
        let rest = &self.text[self.at..];
        let Some(length) = rest.find([',', '}', ']', '\n', '"']) else {
            self.at = self.text.len();
            return Step::End;
        };
        if length == 0 {
            return Step::End; // a bracket that closes nothing
        }
        let word = rest[..length].trim();
        self.at += length;
        Step::Value(match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => word.parse::<Number>().map_or_else(|_| Value::String(word.to_owned()), Value::Number),
        })
    }

    fn skip(&mut self, is_skipped: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().iter().skip(self.at);
        self.at += rest.take_while(|byte| is_skipped(**byte)).count();
    }

    /// Closes what is open.
    fn close(mut self) -> Document {
        let mut unfinished: Option<Value> = None;
        let mut is_first_item_unfinished = false;
        while let Some(open) = self.open.pop() {
            unfinished = Some(match open {
                Open::Object(mut members, key) => {
                    if let (Some(key), Some(value)) = (key, unfinished) {
                        members.insert(key, value);
                    }
                    Value::Object(members)
                }
                Open::List(mut items) => {
                    is_first_item_unfinished = false;
                    if let Some(Value::Object(item)) = unfinished
                        && items.is_empty()
                        && !item.is_empty()
                    {
                        is_first_item_unfinished = true;
                        items.push(Value::Object(item));
                    }
                    Value::Array(items)
                }
            });
        }
        let value = unfinished.unwrap_or_default();
        Document { value, state: State::Cut { is_first_item_unfinished } }
    }
}

fn after_quote(text: &str, at: usize) -> Option<usize> {
    (text.as_bytes().get(at) == Some(&b'"')).then_some(at + 1)
}
