//! JSON whose text is the same whatever built it.

use std::collections::BTreeMap;

use serde_json::Value;

/// The text with sorted keys and a newline at its end. `serde_json` keeps the order of insertion in
/// some builds and sorts in others.
pub fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(value)).unwrap_or_default();
    text.push('\n');
    text
}

/// The same in one line, for a text within JSON.
pub fn line(value: &Value) -> String {
    sorted(value).to_string()
}

/// A number without a needless fraction: 10000000, not 10000000.0.
#[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
pub fn number(number: f64) -> Value {
    if number.fract().abs() < f64::EPSILON && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let ordered: BTreeMap<&String, Value> =
                entries.iter().map(|(key, value)| (key, sorted(value))).collect();
            ordered
                .into_iter()
                .map(|(key, value)| (key.clone(), value))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(sorted).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}
