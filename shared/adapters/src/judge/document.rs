//! JSON from the SDK's own type, which has no conversion in its stable interface.

use aws_smithy_types::{Document, Number};
use serde_json::Value;

/// From the wire; `None` for a number that JSON cannot hold.
pub(super) fn to_json(document: Document) -> Option<Value> {
    Some(match document {
        Document::Null => Value::Null,
        Document::Bool(flag) => Value::Bool(flag),
        Document::String(text) => Value::String(text),
        Document::Number(Number::PosInt(number)) => number.into(),
        Document::Number(Number::NegInt(number)) => number.into(),
        Document::Number(Number::Float(number)) => serde_json::Number::from_f64(number)?.into(),
        Document::Array(items) => Value::Array(items.into_iter().map(to_json).collect::<Option<_>>()?),
        Document::Object(fields) => Value::Object(
            fields.into_iter().map(|(name, value)| Some((name, to_json(value)?))).collect::<Option<_>>()?,
        ),
    })
}
