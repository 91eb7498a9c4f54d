//! The answers that `events/README.md` shows of the sample events, and how they are compared with
//! what a function answers.

use std::fs;

use serde_json::{Number, Value};

use crate::failure::{During, Failure, Outcome};
use crate::project;

/// The page.
pub const PAGE: &str = "events/README.md";

/// What stands for anything: a value, the rest of a list, or a part of a text.
const ANYTHING: &str = "...";

/// An answer on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The event's file, in `events/`.
    pub file: String,
    /// As much of the answer as is shown.
    pub answer: Value,
}

impl Shown {
    /// The function that the event is sent to.
    pub fn function(&self) -> &str {
        self.file.split('.').next().unwrap_or_default()
    }
}

/// All of them in the order of the page, which is the order that they come true in.
pub fn shown() -> Outcome<Vec<Shown>> {
    let text = fs::read_to_string(project::root().join(PAGE)).during(format!("read {PAGE}"))?;
    on_page(&text)
}

/// A heading that starts with an event's file name, and the first block of JSON below it.
fn on_page(page: &str) -> Outcome<Vec<Shown>> {
    let mut all = Vec::new();
    let mut lines = page.lines();
    let mut file = None;
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            let name = line.split('`').nth(1).filter(|name| project::is_event(name));
            if let Some(unshown) = std::mem::replace(&mut file, name) {
                return Err(Failure(format!("{PAGE} shows no answer below {unshown}")));
            }
        }
        if line == "```json" {
            let block = lines.by_ref().take_while(|line| *line != "```").collect::<Vec<_>>().join("\n");
            let Some(file) = file.take() else {
                return Err(Failure(format!("{PAGE} does not say which event this answers:\n{block}")));
            };
            let answer = serde_json::from_str(&block).during(format!("read {PAGE}, {file}, as JSON"))?;
            all.push(Shown { file: file.to_owned(), answer });
        }
    }
    match file {
        Some(unshown) => Err(Failure(format!("{PAGE} shows no answer below {unshown}"))),
        None => Ok(all),
    }
}

/// Where `answer` is not what is shown. It may have keys that are not shown.
pub fn differences(shown: &Value, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", shown, answer, &mut found);
    found
}

fn compare(path: &str, shown: &Value, answer: &Value, found: &mut Vec<String>) {
    match (shown, answer) {
        (Value::String(anything), _) if anything == ANYTHING => {}
        (Value::String(shown), Value::String(text)) if fits(shown, text) => {}
        // Nothing in it is something to show.
        (Value::Object(shown), Value::Object(fields)) if !shown.is_empty() || fields.is_empty() => {
            for (name, shown) in shown {
                let path = format!("{path}.{name}");
                match fields.get(name) {
                    Some(value) => compare(&path, shown, value, found),
                    None => found.push(format!("{path} is not there")),
                }
            }
        }
        (Value::Array(shown), Value::Array(items)) => {
            let (shown, allows_more) = match shown.split_last() {
                Some((last, first)) if last == ANYTHING => (first, true),
                _ => (shown.as_slice(), false),
            };
            if items.len() < shown.len() || (items.len() > shown.len() && !allows_more) {
                found.push(format!("{path} has {} elements, not {}", items.len(), shown.len()));
            }
            for ((place, shown), item) in shown.iter().enumerate().zip(items) {
                compare(&format!("{path}[{place}]"), shown, item, found);
            }
        }
        (Value::Number(shown), Value::Number(number)) if is_rounded(shown, number) => {}
        (shown, answer) if shown == answer => {}
        (shown, answer) => found.push(format!("{path} is {answer}, not {shown}")),
    }
}

/// Whether a text has the parts that are shown, in this order, and nothing else but where it says so.
fn fits(shown: &str, text: &str) -> bool {
    let parts: Vec<&str> = shown.split(ANYTHING).collect();
    let [first, between @ .., last] = parts.as_slice() else { return shown == text };
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    between.iter().all(|part| match rest.split_once(part) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// Whether a number is what is shown when it is rounded to as many places. A whole number is exact.
fn is_rounded(shown: &Number, number: &Number) -> bool {
    let (text, (Some(shown), Some(number))) = (shown.to_string(), (shown.as_f64(), number.as_f64())) else {
        return false;
    };
    let places = text.split_once('.').map(|(_, fraction)| fraction.len());
    places.is_some_and(|places| format!("{number:.places$}") == format!("{shown:.places$}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_shown_must_be_there_and_more_may_be() {
        let answer =
            json!({"a": 1, "b": [{"c": "x"}, {"c": "y"}], "d": {"e": 2.5, "g": 0.666_666_6}, "f": null});
        for shown in [
            json!({"a": 1, "f": null}),
            json!({"d": {"e": 2.5, "g": 0.67}}),
            json!({"d": {"g": 0.6667}}),
            json!({"b": [{"c": "x"}, {"c": "y"}], "d": "..."}),
            json!({"b": [{"c": "x"}, "..."]}),
            json!({"b": ["...", "..."]}),
            json!({"b": ["...", {"c": "y"}]}),
            json!("..."),
        ] {
            assert_eq!(differences(&shown, &answer), [""; 0], "{shown}");
        }
        for (shown, difference) in [
            (json!({"a": 2}), ".a is 1, not 2"),
            (json!({"a": "1"}), ".a is 1, not \"1\""),
            (json!({"g": "..."}), ".g is not there"),
            (json!({"b": [{"c": "x"}]}), ".b has 2 elements, not 1"),
            (json!({"b": ["...", "...", "...", "..."]}), ".b has 2 elements, not 3"),
            (json!({"b": [{"c": "x"}, {"c": "z"}]}), ".b[1].c is \"y\", not \"z\""),
            (json!({"b": []}), ".b has 2 elements, not 0"),
            (json!({"d": {}}), ".d is {\"e\":2.5,\"g\":0.6666666}, not {}"),
            (json!({"d": {"e": 2}}), ".d.e is 2.5, not 2"),
            (json!({"d": {"g": 0.666}}), ".d.g is 0.6666666, not 0.666"),
            (json!({"f": []}), ".f is null, not []"),
        ] {
            assert_eq!(differences(&shown, &answer), [difference], "{shown}");
        }
        assert_eq!(differences(&json!({}), &json!({})), [""; 0]);
    }

    #[test]
    fn a_text_may_leave_parts_out() {
        for (shown, text) in [("a...", "abc"), ("...c", "abc"), ("a...c", "ac"), ("a...b...d", "a1b2b3d")] {
            assert!(fits(shown, text), "{shown} {text}");
        }
        for (shown, text) in
            [("a", "ab"), ("a...", "ba"), ("...c", "ab"), ("a...b...d", "a1d"), ("ab...ba", "aba")]
        {
            assert!(!fits(shown, text), "{shown} {text}");
        }
    }

    #[test]
    fn every_heading_of_an_event_has_an_answer_and_every_answer_a_heading() {
        let block = |text: &str| format!("```json\n{text}\n```\n");
        let page = format!(
            "# Events\n### `x.a.json`\nwords\n{}\n### `x.b.json`, again\n{}",
            block("{}"),
            block("[\n1]")
        );
        let all = on_page(&page).unwrap();
        assert_eq!(all[0], Shown { file: "x.a.json".to_owned(), answer: json!({}) });
        assert_eq!(all[1], Shown { file: "x.b.json".to_owned(), answer: json!([1]) });
        assert_eq!(all[1].function(), "x");
        for (page, problem) in [
            (format!("### `x.json`\n## Next\n{}", block("{}")), "shows no answer below x.json"),
            ("### `x.json`\n".to_owned(), "shows no answer below x.json"),
            (format!("### words\n{}", block("{}")), "does not say which event this answers"),
            (format!("### `x.json`\n{}{}", block("1"), block("2")), "does not say which event this answers"),
            (format!("### `x.json`\n{}", block("{")), "as JSON"),
        ] {
            let failure = on_page(&page).unwrap_err().to_string();
            assert!(failure.contains(problem), "{failure}");
        }
    }
}
