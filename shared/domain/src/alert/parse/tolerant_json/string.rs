//! Texts in JSON whose quotes may be unescaped.

use memchr::{memchr2, memchr3};

/// Where a text stands; it decides what may follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The name of a member.
    Name,
    /// The value of a member.
    Member,
    /// An item of a list.
    Item,
}

/// A text without its quotes.
#[derive(Debug)]
pub(super) struct Unquoted {
    pub(super) text: String,
    /// Behind the closing quote.
    pub(super) end: usize,
    /// Whether there is a closing quote.
    pub(super) is_finished: bool,
}

/// Reads a text from behind its opening quote. A quote closes it only where JSON can go on behind
/// it; any other belongs to the text. In valid JSON each closing quote is such a one.
pub(super) fn unquoted(json: &str, start: usize, place: Place) -> Unquoted {
    let bytes = json.as_bytes();
    let mut text = String::new();
    let mut at = start;
    while let Some(length) = memchr2(b'"', b'\\', &bytes[at..]) {
        text.push_str(&json[at..at + length]);
        at += length;
        if bytes[at] == b'"' {
            at += 1;
            if closes(json, at, place) {
                return Unquoted { text, end: at, is_finished: true };
            }
            text.push('"');
        } else if bytes.get(at + 1) == Some(&b'"') && place == Place::Member && next_member(json, at + 2) {
            // A value that ends in a backslash, such as a Windows path, and was not escaped.
            text.push('\\');
            return Unquoted { text, end: at + 2, is_finished: true };
        } else {
            at = unescape(json, at, &mut text);
        }
    }
    text.push_str(&json[at..]);
    Unquoted { text, end: json.len(), is_finished: false }
}

/// Whether a text can end before `at`.
fn closes(json: &str, at: usize, place: Place) -> bool {
    let bytes = json.as_bytes();
    let at = skip_blank(json, at);
    match (bytes.get(at), place) {
        (None, _) => place != Place::Name,
        (Some(b':'), _) => place == Place::Name,
        (Some(b','), Place::Member) => {
            let next = skip_blank(json, at + 1);
            matches!(bytes.get(next), None | Some(b'}')) || next_member(json, at)
        }
        (Some(b','), Place::Item) => {
            let next = bytes.get(skip_blank(json, at + 1));
            next.is_none_or(|byte| {
                matches!(byte, b'"' | b'{' | b'[' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
            })
        }
        (Some(b'}'), Place::Member) | (Some(b']'), Place::Item) => {
            let next = bytes.get(skip_blank(json, at + 1));
            next.is_none_or(|byte| matches!(byte, b',' | b'}' | b']'))
        }
        _ => false,
    }
}

/// Whether `, "name":` follows, or what a cut left of it.
fn next_member(json: &str, at: usize) -> bool {
    let bytes = json.as_bytes();
    let comma = skip_blank(json, at);
    let quote = skip_blank(json, comma + 1);
    if bytes.get(comma) != Some(&b',') || bytes.get(quote) != Some(&b'"') {
        return false;
    }
    let mut at = quote + 1;
    while let Some(length) = bytes.get(at..).and_then(|rest| memchr3(b'"', b'\\', b'\n', rest)) {
        at += length;
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return bytes.get(skip_blank(json, at + 1)).is_none_or(|byte| *byte == b':'),
            _ => return false,
        }
    }
    true
}

pub(super) fn skip_blank(json: &str, at: usize) -> usize {
    let rest = json.as_bytes().iter().skip(at);
    at + rest.take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Adds what the backslash at `at` stands for; returns where to go on. One that stands for nothing
/// stays as it is.
fn unescape(json: &str, at: usize, text: &mut String) -> usize {
    let plain = match json.as_bytes().get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unescape_unit(json, at, text),
        _ => {
            text.push('\\');
            return at + 1;
        }
    };
    text.push(plain);
    at + 2
}

fn unescape_unit(json: &str, at: usize, text: &mut String) -> usize {
    let unit = |at: usize| {
        let is_unit = json.get(at..at + 2) == Some("\\u");
        let digits = json.get(at + 2..at + 6).filter(|digits| is_unit && !digits.starts_with('+'))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let Some(first) = unit(at) else {
        text.push('\\');
        return at + 1;
    };
    let both = [first, unit(at + 6).unwrap_or(0)];
    if let Some(Ok(c)) = char::decode_utf16(both).next() {
        text.push(c);
        at + if c.len_utf16() == 2 { 12 } else { 6 }
    } else {
        text.push(char::REPLACEMENT_CHARACTER);
        at + 6
    }
}
