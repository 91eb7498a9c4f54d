//! Members of JSON objects, read with goodwill: one of an unexpected type counts as absent.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// The first of these members that is a text and not empty.
pub(super) fn text<'a>(object: &'a Object, names: &[&str]) -> Option<&'a str> {
    let text = |name: &&str| object.get(*name).and_then(Value::as_str);
    names.iter().filter_map(text).find(|text| !text.trim().is_empty())
}

/// The first of these members that is an object.
pub(super) fn object<'a>(object: &'a Object, names: &[&str]) -> Option<&'a Object> {
    names.iter().find_map(|name| object.get(*name).and_then(Value::as_object))
}

/// The items of the first of these members that is a list; none without it.
pub(super) fn items<'a>(object: &'a Object, names: &[&str]) -> &'a [Value] {
    let items = names.iter().find_map(|name| object.get(*name).and_then(Value::as_array));
    items.map_or(&[], Vec::as_slice)
}

/// The first of these members that is a number, or a text of one.
pub(super) fn number(object: &Object, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| object.get(*name).and_then(as_number))
}

/// A finite number, or a text of one.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// The object's members as texts: numbers and flags as they are written, objects and lists as JSON,
/// null as nothing.
pub(super) fn texts(object: &Object) -> BTreeMap<String, String> {
    object.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
}

/// A value as a text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
