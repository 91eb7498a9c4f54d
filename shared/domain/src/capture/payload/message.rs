//! Chat messages, as requests and replies write them (OpenAI chat schema; DJL Serving
//! `chat_input_output_schema`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::shape::{Scalar, Shape};
use crate::capture::exchange::{Role, Turn};

/// One message, or the delta of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) role: Scalar<'a>,
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    #[serde(borrow)]
    pub(super) refusal: Scalar<'a>,
    #[serde(borrow)]
    pub(super) reasoning_content: Scalar<'a>,
    /// What newer vLLM calls `reasoning_content`.
    #[serde(borrow)]
    pub(super) reasoning: Scalar<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: Shape<'a, serde::de::IgnoredAny, Shape<'a, ToolCall<'a>>>,
    /// The form of a tool call before there were several.
    #[serde(borrow)]
    pub(super) function_call: Shape<'a, Function<'a>>,
}

/// A text, parts, or null.
pub(super) type Content<'a> = Shape<'a, serde::de::IgnoredAny, Shape<'a, Part<'a>>>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part<'a> {
    #[serde(borrow, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow)]
    text: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolCall<'a> {
    #[serde(borrow)]
    pub(super) index: Scalar<'a>,
    #[serde(borrow)]
    pub(super) function: Shape<'a, Function<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Scalar<'a>,
    /// JSON in a text, as OpenAI writes it, or an object, as some containers do.
    #[serde(borrow)]
    pub(super) arguments: Shape<'a, Map<String, Value>>,
}

/// How a tool call stands in an answer's text.
#[derive(Serialize)]
struct ShownCall<'a> {
    tool_call: &'a str,
    arguments: Cow<'a, str>,
}

impl<'a> Message<'a> {
    /// What was said; `None` when there is neither content nor a refusal nor a tool call.
    pub(super) fn take_text(&mut self) -> Option<Cow<'a, str>> {
        let said = content_text(std::mem::take(&mut self.content))
            .or_else(|| std::mem::take(&mut self.refusal).into_text());
        let calls = self.take_calls();
        if calls.is_empty() {
            return said;
        }
        let mut lines: Vec<String> =
            said.filter(|text| !text.is_empty()).map(Cow::into_owned).into_iter().collect();
        lines.extend(calls.iter().map(|(name, arguments)| shown_call(name, arguments)));
        Some(Cow::Owned(lines.join("\n")))
    }

    pub(super) fn take_reasoning(&mut self) -> Option<Cow<'a, str>> {
        let text = |scalar: &mut Scalar<'a>| std::mem::take(scalar).into_text();
        text(&mut self.reasoning_content)
            .or_else(|| text(&mut self.reasoning))
            .filter(|text| !text.is_empty())
    }

    fn take_calls(&mut self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let several = std::mem::take(&mut self.tool_calls).into_items();
        let single = std::mem::take(&mut self.function_call).into_object();
        several
            .into_iter()
            .filter_map(|call| call.into_object()?.function.into_object())
            .chain(single)
            .map(|function| {
                (function.name.into_text().unwrap_or_default(), arguments_text(function.arguments))
            })
            .collect()
    }

    /// The message as a turn of the conversation.
    pub(super) fn into_turn(mut self) -> Turn<'a> {
        let role = match self.role.text() {
            Some("system" | "developer") => Role::System,
            Some("assistant" | "model") => Role::Assistant,
            Some("tool" | "function" | "ipython") => Role::Tool,
            _ => Role::User,
        };
        Turn { role, text: self.take_text().unwrap_or_default() }
    }
}

/// Arguments as the text that they are, or the object written out again.
pub(super) fn arguments_text(arguments: Shape<'_, Map<String, Value>>) -> Cow<'_, str> {
    match arguments {
        Shape::Text(text) => text,
        Shape::Object(object) => Cow::Owned(Value::Object(object).to_string()),
        _ => Cow::Borrowed(""),
    }
}

/// One line of JSON for a tool call.
pub(super) fn shown_call(name: &str, arguments: &str) -> String {
    let shown = ShownCall { tool_call: name, arguments: Cow::Borrowed(arguments) };
    // Texts always serialise.
    serde_json::to_string(&shown).unwrap_or_default()
}

/// The text of a content: parts are joined with a newline, what is no text is named in brackets.
pub(super) fn content_text(content: Content<'_>) -> Option<Cow<'_, str>> {
    let mut parts = match content {
        Shape::Text(text) => return Some(text),
        Shape::List(parts) => parts.into_iter().filter_map(part_text),
        _ => return None,
    };
    let first = parts.next().unwrap_or_default();
    let Some(second) = parts.next() else { return Some(first) };
    let mut joined = first.into_owned();
    for part in std::iter::once(second).chain(parts) {
        joined.push('\n');
        joined.push_str(&part);
    }
    Some(Cow::Owned(joined))
}

fn part_text<'a>(part: Shape<'a, Part<'a>>) -> Option<Cow<'a, str>> {
    match part {
        Shape::Text(text) | Shape::Object(Part { text: Shape::Text(text), .. }) => Some(text),
        Shape::Object(Part { kind, .. }) => {
            let is_image = kind.text().is_some_and(|kind| kind.contains("image"));
            Some(Cow::Borrowed(if is_image { "[image]" } else { "[attachment]" }))
        }
        _ => None,
    }
}
