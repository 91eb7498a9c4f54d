//! What was asked: LMI and TGI `inputs`, OpenAI chat `messages`, OpenAI completions `prompt`.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::message::Message;
use super::shape::{Scalar, Shape};
use crate::capture::exchange::{Role, Turn};
use crate::capture::skip::SkipReason;

/// A text, several texts (a batch), or messages.
type Prompt<'a> = Shape<'a, IgnoredAny, Shape<'a, Message<'a>>>;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    inputs: Prompt<'a>,
    #[serde(borrow)]
    prompt: Prompt<'a>,
    #[serde(borrow)]
    messages: Prompt<'a>,
    #[serde(borrow)]
    model: Scalar<'a>,
    #[serde(borrow)]
    parameters: Shape<'a, Parameters<'a>>,
    /// The completions parameter that makes the reply repeat the prompt.
    #[serde(borrow)]
    echo: Scalar<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters<'a> {
    #[serde(borrow)]
    return_full_text: Scalar<'a>,
}

/// A decoded request.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) questions: Questions<'a>,
    pub(super) model: Option<Cow<'a, str>>,
    /// Whether the reply was asked to repeat the prompt; `None` when the request does not say.
    pub(super) full_text: Option<bool>,
}

#[derive(Debug)]
pub(super) enum Questions<'a> {
    /// A conversation to continue.
    Chat(Vec<Turn<'a>>),
    /// One text to continue.
    Text(Cow<'a, str>),
    /// Texts to continue, each for itself.
    Batch(Vec<Cow<'a, str>>),
}

impl<'a> Request<'a> {
    pub(super) fn read(body: &'a str) -> Result<Self, SkipReason> {
        if !body.starts_with('{') {
            return Err(SkipReason::NotTextGeneration);
        }
        let body: Body<'a> = serde_json::from_str(body).map_err(|error| super::broken(&error))?;
        let full_text = body
            .parameters
            .object()
            .and_then(|parameters| parameters.return_full_text.flag())
            .or_else(|| body.echo.flag());
        let asked = [body.messages, body.inputs, body.prompt].into_iter().find(Shape::is_present);
        let questions = questions(asked.ok_or(SkipReason::NotTextGeneration)?)?;
        Ok(Self { questions, model: body.model.into_text().filter(|name| !name.is_empty()), full_text })
    }
}

fn questions(asked: Prompt<'_>) -> Result<Questions<'_>, SkipReason> {
    let items = match asked {
        Shape::Text(text) => return Ok(Questions::Text(text)),
        Shape::List(items) if items.is_empty() => return Err(SkipReason::NoInput),
        Shape::List(items) => items,
        _ => return Err(SkipReason::NotTextGeneration),
    };
    // Token ids, feature rows, and texts mixed with messages are no conversation.
    if items.iter().all(|item| matches!(item, Shape::Text(_))) {
        return Ok(Questions::Batch(items.into_iter().filter_map(Shape::into_text).collect()));
    }
    let is_message = |item: &Shape<'_, Message<'_>>| item.object().is_some_and(|it| it.role.text().is_some());
    if !items.iter().all(is_message) {
        return Err(SkipReason::NotTextGeneration);
    }
    let messages = items.into_iter().filter_map(Shape::into_object);
    Ok(Questions::Chat(messages.map(Message::into_turn).collect()))
}

/// The single user turn of a plain text.
pub(super) fn single_turn(text: Cow<'_, str>) -> Vec<Turn<'_>> {
    vec![Turn { role: Role::User, text }]
}
