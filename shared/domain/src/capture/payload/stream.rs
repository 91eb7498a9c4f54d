//! What was answered in pieces: JSON lines, and server-sent events.
//!
//! LMI and TGI send `{"token":{"text":..}}` and, with the last token, the whole `generated_text`;
//! OpenAI sends `choices[].delta`, and ends with `data: [DONE]`; a dynamic batch sends
//! `{"outputs":[..]}` with one piece for each question.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::message::{Message, arguments_text, content_text, shown_call};
use super::reply::{Choice, Failure, Reading, Reply};
use super::shape::Shape;
use crate::capture::exchange::{FinishReason, Usage};
use crate::capture::skip::SkipReason;

/// Answers that arrive in pieces.
#[derive(Debug, Default)]
pub(super) struct Stream<'a> {
    /// By the index that the pieces carry; an answer without one has index 0.
    answers: BTreeMap<u64, Answer>,
    pub(super) model: Option<Cow<'a, str>>,
    usage: Option<Usage>,
    error: Option<Failure>,
}

#[derive(Debug, Default)]
struct Answer {
    text: Option<String>,
    reasoning: String,
    finish: FinishReason,
    calls: BTreeMap<u64, (String, String)>,
}

impl Answer {
    fn say(&mut self, piece: &str) {
        self.text.get_or_insert_default().push_str(piece);
    }

    fn stop(&mut self, finish: FinishReason) {
        if finish != FinishReason::Unknown {
            self.finish = finish;
        }
    }

    fn add_message(&mut self, mut message: Message<'_>) {
        if let Some(reasoning) = message.take_reasoning() {
            self.reasoning.push_str(&reasoning);
        }
        let said = content_text(message.content).or_else(|| message.refusal.into_text());
        self.say(&said.unwrap_or_default());
        let calls = message.tool_calls.into_items().into_iter().filter_map(Shape::into_object);
        for (position, call) in (0..).zip(calls) {
            let index = call.index.count().unwrap_or(position);
            let Some(function) = call.function.into_object() else { continue };
            let (name, arguments) = self.calls.entry(index).or_default();
            name.push_str(function.name.text().unwrap_or_default());
            arguments.push_str(&arguments_text(function.arguments));
        }
    }

    fn into_reading<'a>(mut self) -> Reading<'a> {
        for (name, arguments) in std::mem::take(&mut self.calls).into_values() {
            if self.text.as_ref().is_some_and(|text| !text.is_empty()) {
                self.say("\n");
            }
            self.say(&shown_call(&name, &arguments));
        }
        Reading {
            text: self.text.map(Cow::Owned),
            reasoning: Some(self.reasoning).filter(|text| !text.is_empty()).map(Cow::Owned),
            finish: self.finish,
            ..Reading::default()
        }
    }
}

impl<'a> Stream<'a> {
    /// A stream that starts with `chunk`.
    pub(super) fn of(chunk: Reply<'a>) -> Self {
        let mut stream = Self::default();
        stream.add(chunk);
        stream
    }

    /// Adds one piece.
    pub(super) fn add(&mut self, mut chunk: Reply<'a>) {
        self.usage = chunk.usage().or(self.usage);
        self.error = self.error.or_else(|| chunk.error());
        if self.model.is_none() {
            self.model = std::mem::take(&mut chunk.model).into_text();
        }
        let finish = chunk.finish();
        for choice in chunk.choices.into_items().into_iter().filter_map(Shape::into_object) {
            self.add_choice(choice);
        }
        for (index, piece) in (0..).zip(chunk.outputs.into_items()) {
            self.answers.entry(index).or_default().say(piece.text().unwrap_or_default());
        }
        if let Some(token) = chunk.token.into_object() {
            let is_text = token.special.flag() != Some(true);
            let piece = token.text.text().filter(|_| is_text).unwrap_or_default();
            self.answers.entry(0).or_default().say(piece);
        }
        if let Some(whole) = chunk.generated_text.into_text() {
            self.answers.entry(0).or_default().text = Some(whole.into_owned());
        }
        if finish != FinishReason::Unknown {
            self.answers.entry(0).or_default().stop(finish);
        }
    }

    fn add_choice(&mut self, choice: Choice<'_>) {
        let answer = self.answers.entry(choice.index.count().unwrap_or(0)).or_default();
        if let Some(reason) = choice.finish_reason.text() {
            answer.stop(FinishReason::from_wire(reason));
        }
        match choice.delta.into_object().or_else(|| choice.message.into_object()) {
            Some(message) => answer.add_message(*message),
            None => answer.say(choice.text.text().unwrap_or_default()),
        }
    }

    /// The answers, in the order of the questions.
    pub(super) fn into_readings(self) -> Vec<Reading<'a>> {
        let mut readings: Vec<Reading<'a>> = self.answers.into_values().map(Answer::into_reading).collect();
        if readings.is_empty() {
            readings.push(Reading::default());
        }
        readings[0].usage = self.usage;
        readings[0].error = self.error;
        readings
    }
}

/// Whether a body is a stream of server-sent events.
pub(super) fn is_events(body: &str) -> bool {
    ["data:", "event:", "id:", "retry:", ":"].iter().any(|field| body.starts_with(field))
}

/// Reads server-sent events. Each `data:` line is one piece: no server that Assay knows spreads
/// one over several lines.
pub(super) fn read_events(body: &str) -> Result<Stream<'_>, SkipReason> {
    let mut stream = Stream::default();
    let mut start = 0;
    let ends = memchr::memchr_iter(b'\n', body.as_bytes()).chain(std::iter::once(body.len()));
    for end in ends {
        let line = &body[start..end];
        start = end + 1;
        let Some(data) = line.strip_prefix("data:").map(str::trim) else { continue };
        if data.is_empty() || data == "[DONE]" {
            continue;
        }
        stream.add(serde_json::from_str(data).map_err(|error| super::broken(&error))?);
    }
    Ok(stream)
}
