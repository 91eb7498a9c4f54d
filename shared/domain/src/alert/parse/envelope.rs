//! From the event of an invocation to the messages in it.
//!
//! | event | its messages |
//! |---|---|
//! | SNS | each record's |
//! | SQS | each body: a notification of SNS, a message delivered raw, or another event as a dead-letter queue keeps it |
//! | on-failure destination | those of the event that failed (`requestPayload`) |
//! | one notification of SNS; text; any other JSON | itself: an alarm's direct invocation, a bare payload |

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use super::MAX_NESTING;
use super::member::{self, Object};
use super::record::{self, QueueRecord};

/// One message, and what is known about its way. Its `Debug` shows no text.
#[derive(Clone, PartialEq)]
pub struct Delivery {
    /// Where in the event it stands, such as `Records[2]`; empty for the event itself.
    pub place: String,
    /// The topic, when SNS tells.
    pub topic_arn: Option<String>,
    /// The queue, when it came through one.
    pub queue_arn: Option<String>,
    /// SNS's id; the same when SNS tries again, another for every copy that the sender publishes.
    pub message_id: Option<String>,
    /// The id of the queue's message that it came in: what is answered when it fails.
    pub sqs_message_id: Option<String>,
    /// The subject; `None` when null, absent or blank.
    pub subject: Option<String>,
    /// The message.
    pub message: String,
    /// The message's attributes that are texts.
    pub attributes: BTreeMap<String, String>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
}

/// A record of an event that holds no message. Its neighbours are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} holds no message: expected `Sns.Message` as SNS sends it, or `body` as SQS does")]
pub struct Unreadable {
    /// Where in the event it stands.
    pub place: String,
    /// The id of the queue's message that it came in.
    pub sqs_message_id: Option<String>,
}

/// Takes an event apart. Every record is one item or, if it holds an event itself, several.
pub fn open(event: Value) -> Vec<Result<Delivery, Unreadable>> {
    let mut found = Vec::new();
    open_into(event, String::new(), None, MAX_NESTING, &mut found);
    found
}

/// Takes an event apart that may be bare text.
pub fn open_text(event: &str) -> Vec<Result<Delivery, Unreadable>> {
    open(serde_json::from_str(event).unwrap_or_else(|_| Value::String(event.to_owned())))
}

impl Delivery {
    /// A message of which nothing else is known.
    pub(super) fn bare(message: String, place: String) -> Self {
        Self {
            place,
            topic_arn: None,
            queue_arn: None,
            message_id: None,
            sqs_message_id: None,
            subject: None,
            message,
            attributes: BTreeMap::new(),
            published_at: None,
        }
    }

    /// Region and account of the topic, else of the queue; empty when neither is known. A queue
    /// stands for the topic so that a redriven message has the same identity.
    pub fn region_and_account(&self) -> (&str, &str) {
        let arns = [&self.topic_arn, &self.queue_arn].into_iter().flatten();
        for arn in arns {
            let mut parts = arn.split(':').skip(3);
            if let (Some(region), Some(account)) = (parts.next(), parts.next()) {
                return (region, account);
            }
        }
        ("", "")
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("place", &self.place)
            .field("topic_arn", &self.topic_arn)
            .field("queue_arn", &self.queue_arn)
            .field("message_id", &self.message_id)
            .field("sqs_message_id", &self.sqs_message_id)
            .field("bytes", &self.message.len())
            .field("published_at", &self.published_at)
            .finish_non_exhaustive()
    }
}

fn open_into(
    event: Value,
    place: String,
    queue: Option<&QueueRecord>,
    nesting: usize,
    found: &mut Vec<Result<Delivery, Unreadable>>,
) {
    let mut event = match event {
        Value::Object(event) => event,
        Value::String(message) => return found.push(Ok(delivered(message, place, queue))),
        other => return found.push(Ok(delivered(other.to_string(), place, queue))),
    };
    if nesting > 0 && event.get("Records").is_some_and(Value::is_array) {
        if let Some(Value::Array(records)) = event.remove("Records") {
            for (number, record) in records.into_iter().enumerate() {
                let place = format!("{place}{}Records[{number}]", if place.is_empty() { "" } else { "." });
                open_record(record, place, queue, nesting - 1, found);
            }
        }
    } else if nesting > 0 && is_failure(&event) {
        let payload = event.remove("requestPayload").unwrap_or_default();
        let place = format!("{place}{}requestPayload", if place.is_empty() { "" } else { "." });
        open_into(payload, place, queue, nesting - 1, found);
    } else if record::is_notification(&event) {
        open_notification(event, place, queue, nesting, found);
    } else {
        found.push(Ok(delivered(Value::Object(event).to_string(), place, queue)));
    }
}

fn open_record(
    record: Value,
    place: String,
    queue: Option<&QueueRecord>,
    nesting: usize,
    found: &mut Vec<Result<Delivery, Unreadable>>,
) {
    let mut record = match record {
        Value::Object(record) => record,
        _ => Object::new(),
    };
    if let Some(Value::Object(sns)) = record.remove("Sns") {
        return open_notification(sns, place, queue, nesting, found);
    }
    let own = QueueRecord::of(&record);
    match record.remove("body") {
        Some(Value::String(body)) => open_body(body, place, &own, nesting, found),
        Some(body @ (Value::Object(_) | Value::Array(_))) => {
            open_into(body, place, Some(&own), nesting, found);
        }
        _ => {
            let sqs_message_id = queue.and_then(|queue| queue.message_id.clone()).or(own.message_id);
            found.push(Err(Unreadable { place, sqs_message_id }));
        }
    }
}

/// A body is an event, a notification or a bare message. A bare message stays as it was sent.
fn open_body(
    body: String,
    place: String,
    queue: &QueueRecord,
    nesting: usize,
    found: &mut Vec<Result<Delivery, Unreadable>>,
) {
    match serde_json::from_str(&body) {
        Ok(Value::Object(event)) if is_envelope(&event) => {
            open_into(Value::Object(event), place, Some(queue), nesting, found);
        }
        _ => found.push(Ok(delivered(body, place, Some(queue)))),
    }
}

/// A notification can carry what a destination wrote about a failure.
fn open_notification(
    sns: Object,
    place: String,
    queue: Option<&QueueRecord>,
    nesting: usize,
    found: &mut Vec<Result<Delivery, Unreadable>>,
) {
    let Some(delivery) = record::notification(sns, place.clone()) else {
        let sqs_message_id = queue.and_then(|queue| queue.message_id.clone());
        return found.push(Err(Unreadable { place, sqs_message_id }));
    };
    if nesting > 0
        && delivery.message.contains("requestPayload")
        && let Ok(Value::Object(inner)) = serde_json::from_str(&delivery.message)
        && is_failure(&inner)
    {
        return open_into(Value::Object(inner), place, queue, nesting - 1, found);
    }
    found.push(Ok(with_queue(delivery, queue)));
}

/// What Lambda writes to an on-failure destination.
fn is_failure(event: &Object) -> bool {
    event.contains_key("requestPayload") && event.contains_key("requestContext")
}

fn is_envelope(event: &Object) -> bool {
    let has_records = member::items(event, &["Records"]).iter().any(Value::is_object);
    has_records || is_failure(event) || record::is_notification(event)
}

fn delivered(message: String, place: String, queue: Option<&QueueRecord>) -> Delivery {
    match queue {
        Some(queue) => with_queue(queue.raw(message, place), Some(queue)),
        None => Delivery::bare(message, place),
    }
}

fn with_queue(mut delivery: Delivery, queue: Option<&QueueRecord>) -> Delivery {
    if let Some(queue) = queue {
        delivery.queue_arn.clone_from(&queue.queue_arn);
        delivery.sqs_message_id.clone_from(&queue.message_id);
    }
    delivery
}
