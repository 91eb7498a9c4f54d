//! One record of an event: what SNS and SQS put around a message.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::member::{self, Object};
use super::{Delivery, time};

/// What SNS tells of a notification: in a Lambda event, and as JSON in the body of a queue's message.
/// `None` when there is no message in it.
pub(super) fn notification(mut sns: Object, place: String) -> Option<Delivery> {
    let message = match sns.remove("Message")? {
        Value::String(message) => message,
        Value::Null => return None,
        other => other.to_string(),
    };
    let text = |name: &str| member::text(&sns, &[name]).map(str::to_owned);
    let attributes = member::object(&sns, &["MessageAttributes"]);
    Some(Delivery {
        place,
        topic_arn: text("TopicArn"),
        queue_arn: None,
        message_id: text("MessageId"),
        sqs_message_id: None,
        subject: text("Subject"),
        message,
        attributes: attributes.map(|attributes| values(attributes, &["Value"])).unwrap_or_default(),
        published_at: text("Timestamp").as_deref().and_then(time::read),
    })
}

/// Whether an object is a notification of SNS and not an alert that has a message too.
pub(super) fn is_notification(object: &Object) -> bool {
    let is_text = |name: &str| object.get(name).is_some_and(Value::is_string);
    object.contains_key("Message")
        && (is_text("TopicArn") || is_text("UnsubscribeURL") || is_text("SignatureVersion"))
}

/// A record of SQS around its body.
#[derive(Debug, Clone)]
pub(super) struct QueueRecord {
    pub(super) message_id: Option<String>,
    pub(super) queue_arn: Option<String>,
    attributes: BTreeMap<String, String>,
    sent_at: Option<Timestamp>,
}

impl QueueRecord {
    pub(super) fn of(record: &Object) -> Self {
        let text = |name: &str| member::text(record, &[name]).map(str::to_owned);
        let sent_at = member::object(record, &["attributes"])
            .and_then(|attributes| member::text(attributes, &["SentTimestamp"]))
            .and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok());
        let attributes = member::object(record, &["messageAttributes"]);
        Self {
            message_id: text("messageId"),
            queue_arn: text("eventSourceARN"),
            attributes: attributes.map(|of| values(of, &["stringValue"])).unwrap_or_default(),
            sent_at,
        }
    }

    /// A body that SNS delivered raw, or that somebody sent to the queue.
    pub(super) fn raw(&self, message: String, place: String) -> Delivery {
        Delivery {
            attributes: self.attributes.clone(),
            published_at: self.sent_at,
            ..Delivery::bare(message, place)
        }
    }
}

/// Attributes' values; those that are no text are left out.
fn values(attributes: &Object, names: &[&str]) -> BTreeMap<String, String> {
    let value = |(name, attribute): (&String, &Value)| {
        Some((name.clone(), member::text(attribute.as_object()?, names)?.to_owned()))
    };
    attributes.iter().filter_map(value).collect()
}
