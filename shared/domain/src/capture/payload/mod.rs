//! Request and reply of one record, matched: every text-generation protocol that SageMaker's
//! containers speak, told apart by what the bodies look like and not by their content type, which
//! is null or wrong often enough.

mod message;
mod reasoning;
mod reply;
mod request;
pub(crate) mod shape;
mod stream;

use std::borrow::Cow;

use reply::{Reading, Reply};
use request::{Questions, Request, single_turn};
use shape::Shape;
use stream::Stream;

use super::exchange::{Answer, Exchange, FinishReason, Turn};
use super::skip::SkipReason;

/// What one record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The model that the request names, else the one that the reply names.
    pub model: Option<Cow<'a, str>>,
    /// One exchange, or one for each question of a batch, in its order.
    pub exchanges: Vec<Exchange<'a>>,
}

/// A prompt that a reply repeats without having been asked to is taken off only from this length
/// on (bytes): a short one may be the start of a natural answer ("Hello").
const SHORTEST_ECHO: usize = 32;

/// Decodes a request body and its reply, both free of surrounding white space; `output` is `None`
/// when none was captured.
pub(super) fn decode<'a>(input: &'a str, output: Option<&'a str>) -> Result<Conversation<'a>, SkipReason> {
    let request = Request::read(input)?;
    let output = output.filter(|body| !body.is_empty()).ok_or(SkipReason::NoOutput)?;
    let (readings, reply_model) = read_reply(output)?;
    let exchanges = match request.questions {
        Questions::Chat(turns) => vec![exchange(first(readings), turns)?],
        Questions::Text(prompt) => vec![continued(first(readings), prompt, request.full_text)?],
        Questions::Batch(prompts) => {
            let answers = one_each(readings, prompts.len())?;
            let pairs = answers.into_iter().zip(prompts);
            pairs
                .map(|(answer, prompt)| continued(answer, prompt, request.full_text))
                .collect::<Result<_, _>>()?
        }
    };
    Ok(Conversation { model: request.model.or(reply_model), exchanges })
}

/// What a JSON error says about a body that started as JSON.
fn broken(error: &serde_json::Error) -> SkipReason {
    if error.is_data() { SkipReason::NotTextGeneration } else { SkipReason::InvalidPayload }
}

type ReadReply<'a> = (Vec<Reading<'a>>, Option<Cow<'a, str>>);

fn read_reply(body: &str) -> Result<ReadReply<'_>, SkipReason> {
    match body.as_bytes().first() {
        Some(b'{') => read_objects(body),
        Some(b'[') => {
            let items: Vec<Shape<'_, Reply<'_>, Shape<'_, Reply<'_>>>> =
                serde_json::from_str(body).map_err(|error| broken(&error))?;
            let readings = items.into_iter().map(|item| item_reading(item, first_of_several));
            Ok((readings.collect(), None))
        }
        _ if stream::is_events(body) => Ok(finished(stream::read_events(body)?)),
        _ => Err(SkipReason::NotTextGeneration),
    }
}

/// A Hugging Face pipeline answers each question of a batch with a list of answers.
fn first_of_several<'a>(answers: Vec<Shape<'a, Reply<'a>>>) -> Reading<'a> {
    let nothing = |_| Reading::default();
    answers.into_iter().next().map(|answer| item_reading(answer, nothing)).unwrap_or_default()
}

fn item_reading<'a, I>(
    item: Shape<'a, Reply<'a>, I>,
    of_list: impl FnOnce(Vec<I>) -> Reading<'a>,
) -> Reading<'a> {
    match item {
        Shape::Object(reply) => first(reply.into_readings()),
        Shape::List(items) => of_list(items),
        other => Reading { text: other.into_text(), ..Reading::default() },
    }
}

/// One object is a reply, several in a row are a stream.
fn read_objects(body: &str) -> Result<ReadReply<'_>, SkipReason> {
    let mut objects = serde_json::Deserializer::from_str(body).into_iter::<Reply<'_>>();
    let Some(first) = objects.next() else { return Err(SkipReason::NoOutput) };
    let mut first = first.map_err(|error| broken(&error))?;
    let Some(second) = objects.next() else {
        if first.token.is_present() {
            return Ok(finished(Stream::of(first)));
        }
        let model = std::mem::take(&mut first.model).into_text();
        return Ok((first.into_readings(), model));
    };
    let mut stream = Stream::of(first);
    stream.add(second.map_err(|error| broken(&error))?);
    for object in objects {
        stream.add(object.map_err(|error| broken(&error))?);
    }
    Ok(finished(stream))
}

fn finished(mut stream: Stream<'_>) -> ReadReply<'_> {
    let model = stream.model.take();
    (stream.into_readings(), model)
}

fn first(readings: Vec<Reading<'_>>) -> Reading<'_> {
    readings.into_iter().next().unwrap_or_default()
}

/// Matches the answers of a batch to its `count` questions. A container that fails answers the
/// whole batch with one error; one that was asked for several answers to each question gives them
/// in a row, of which the first is taken.
fn one_each(mut readings: Vec<Reading<'_>>, count: usize) -> Result<Vec<Reading<'_>>, SkipReason> {
    if let [Reading { text: None, error: Some(failure), .. }] = readings.as_slice() {
        let failed = || Reading { error: Some(*failure), ..Reading::default() };
        return Ok(std::iter::repeat_with(failed).take(count).collect());
    }
    if readings.is_empty() || !readings.len().is_multiple_of(count) {
        return Err(SkipReason::BatchMismatch);
    }
    let each = readings.len() / count;
    let mut position = 0..;
    readings.retain(|_| position.next().is_some_and(|position: usize| position.is_multiple_of(each)));
    Ok(readings)
}

/// The exchange of a text and its continuation.
fn continued<'a>(
    mut reading: Reading<'a>,
    prompt: Cow<'a, str>,
    full_text: Option<bool>,
) -> Result<Exchange<'a>, SkipReason> {
    let repeats = match full_text {
        Some(asked) => asked,
        None => prompt.len() >= SHORTEST_ECHO,
    };
    if repeats && let Some(text) = reading.text.take() {
        let from = if text.starts_with(prompt.as_ref()) { prompt.len() } else { 0 };
        reading.text = Some(reasoning::cut_front(text, from));
    }
    exchange(reading, single_turn(prompt))
}

fn exchange<'a>(reading: Reading<'a>, turns: Vec<Turn<'a>>) -> Result<Exchange<'a>, SkipReason> {
    let usage = reading.usage;
    Ok(Exchange { turns, answer: answer(reading)?, usage })
}

fn answer(reading: Reading<'_>) -> Result<Answer<'_>, SkipReason> {
    let Reading { text, reasoning, finish, error, .. } = reading;
    let has_text = text.as_ref().is_some_and(|text| !text.is_empty());
    match error {
        Some(failure) if !has_text => return Ok(Answer::Error { code: failure.code }),
        // HTTP 200 with an empty text, and an error where the reason to stop belongs.
        None if !has_text && finish == FinishReason::Error => return Ok(Answer::Error { code: None }),
        _ => {}
    }
    let text = text.ok_or(SkipReason::NoOutputText)?;
    // A stream that broke off with an error in its last event.
    let finish = if error.is_some() { FinishReason::Error } else { finish };
    let (text, reasoning) = match reasoning {
        Some(reasoning) => (text, Some(reasoning)),
        None => reasoning::split(text),
    };
    Ok(Answer::Text { text, reasoning, finish })
}

#[cfg(test)]
mod tests;
