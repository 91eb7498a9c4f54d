//! Which endpoints an event asks to meter, whichever way it came.

use std::collections::BTreeSet;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use domain::names::{ComponentName, EndpointName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// An event, read.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// The schedule, or whoever invoked the function.
    Direct(Request),
    /// Messages of the queue, each answered for by itself.
    Queue(Vec<Message>),
}

/// What is asked for: the payload of a direct invocation and the body of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// The endpoints to meter; none for all that are watched.
    #[serde(default)]
    pub(crate) endpoints: BTreeSet<EndpointName>,
    /// In a message: components whose series do not name the endpoint, and are listed by the
    /// component.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) components: BTreeSet<ComponentName>,
}

/// One message of the queue.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// What a batch item failure names.
    pub(crate) id: String,
    /// What it asks for.
    pub(crate) request: Result<Request, NotAnEvent>,
}

/// A payload that asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "this is neither a scheduled event, an SQS batch, {{}} nor {{\"endpoints\": [\"name\"]}}: {0:?} error at line {1}, column {2}"
)]
pub(crate) struct NotAnEvent(serde_json::error::Category, usize, usize);

/// Without the values that serde's message quotes.
impl From<serde_json::Error> for NotAnEvent {
    fn from(error: serde_json::Error) -> Self {
        Self(error.classify(), error.line(), error.column())
    }
}

/// Reads any event that capacity-meter is wired to, or that a local invoke sends.
pub(crate) fn read(event: Value) -> Result<Event, NotAnEvent> {
    if event["Records"][0]["eventSource"] == "aws:sqs" {
        let batch: SqsEvent = serde_json::from_value(event)?;
        return Ok(Event::Queue(batch.records.into_iter().map(message).collect()));
    }
    let is_schedule = event["detail-type"] == "Scheduled Event" || event.is_null();
    let request = if is_schedule { Request::default() } else { serde_json::from_value(event)? };
    Ok(Event::Direct(request))
}

fn message(record: SqsMessage) -> Message {
    let request = serde_json::from_str(&record.body.unwrap_or_default()).map_err(NotAnEvent::from);
    Message { id: record.message_id.unwrap_or_default(), request }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(names: &[&str]) -> Request {
        let endpoints = names.iter().map(|name| name.parse().unwrap()).collect();
        Request { endpoints, ..Request::default() }
    }

    #[test]
    fn the_schedule_and_an_empty_payload_ask_for_everything() {
        let schedule: Value =
            serde_json::from_str(include_str!("../../../events/capacity-meter.schedule.json")).unwrap();
        for event in [schedule, json!({}), json!(null)] {
            assert_eq!(read(event).unwrap(), Event::Direct(Request::default()));
        }
    }

    #[test]
    fn a_person_can_name_endpoints() {
        let event = read(json!({"endpoints": ["chat", "code"]})).unwrap();
        assert_eq!(event, Event::Direct(request(&["chat", "code"])));
    }

    #[test]
    fn a_bad_message_costs_only_itself() {
        let mut batch: Value =
            serde_json::from_str(include_str!("../../../events/capacity-meter.sqs-split.json")).unwrap();
        batch["Records"][1]["body"] = json!("private words");
        let Event::Queue(messages) = read(batch).unwrap() else { panic!("not a batch") };
        assert_eq!(messages[0].request, Ok(request(&["support-chat"])));
        let error = messages[1].request.clone().unwrap_err().to_string();
        assert!(error.contains("Syntax error at line 1") && !error.contains("private"), "{error}");
    }

    #[test]
    fn what_a_split_sends_is_what_a_message_asks() {
        let components = BTreeSet::from(["qwen".parse().unwrap()]);
        for sent in [request(&["chat"]), Request { components, ..request(&["chat"]) }] {
            let body = serde_json::to_string(&sent).unwrap();
            let message = message(serde_json::from_value(json!({"messageId": "1", "body": body})).unwrap());
            assert_eq!(message.request, Ok(sent));
        }
    }

    #[test]
    fn other_payloads_are_refused_with_what_would_be_right() {
        for other in [
            json!([1]),
            json!({"endpoint": "chat"}),
            json!({"endpoints": ["a_b"]}),
            json!({"detail-type": "Object Created"}),
        ] {
            let error = read(other).unwrap_err().to_string();
            assert!(error.contains("{\"endpoints\": [\"name\"]}") && !error.contains("a_b"), "{error}");
        }
    }
}
