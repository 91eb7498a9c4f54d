//! The shape of a reply as a JSON Schema.
//!
//! Bedrock takes a subset of draft 2020-12 and answers 400 to the rest: so every field is required,
//! nothing else is allowed, and the legal scores are an `enum` of texts. There are no numeric or
//! length bounds (unsupported, and models ignore them) and no mixed types; [`super::read_reply`]
//! checks everything again.

use serde_json::{Map, Value, json};

use crate::rubric::Rubric;

/// The schema of a reply: for each enabled dimension an object with `reason` and `score`.
///
/// Models write the fields in the order of the schema, and the reason has to come first:
/// `serde_json` sorts keys, and `reason` sorts before `score`.
pub fn verdict_schema(rubric: &Rubric) -> Value {
    let mut dimensions: Vec<_> = rubric.enabled().collect();
    // Sorted here as well, so that the text stays the same should serde_json ever keep the order.
    dimensions.sort_by(|one, other| one.id.cmp(&other.id));
    let names: Vec<&str> = dimensions.iter().map(|dimension| dimension.id.as_str()).collect();
    let properties: Map<String, Value> = dimensions
        .iter()
        .map(|dimension| {
            let judgement = json!({
                "additionalProperties": false,
                "properties": {
                    "reason": {"type": "string"},
                    "score": {"enum": dimension.allowed_replies(), "type": "string"},
                },
                "required": ["reason", "score"],
                "type": "object",
            });
            (dimension.id.to_string(), judgement)
        })
        .collect();
    json!({
        "additionalProperties": false,
        "properties": properties,
        "required": names,
        "type": "object",
    })
}

/// [`verdict_schema`] as text: the same bytes for the same rubric, because the service compiles a
/// schema that it has not seen before, which can take minutes.
pub fn verdict_schema_text(rubric: &Rubric) -> String {
    verdict_schema(rubric).to_string()
}
