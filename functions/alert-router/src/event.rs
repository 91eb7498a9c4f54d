//! What an event brings: alerts, deliveries that were refused once and are to be tried again, and
//! looks at alerts that are due.

use domain::alert::AlertKey;
use domain::alert::parse::{Delivery, Unreadable, open};
use domain::alert::rules::DestinationName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event, read.
#[derive(Debug)]
pub(crate) struct Event {
    /// Whether to decide only: nothing is written and nobody is told.
    pub(crate) is_dry_run: bool,
    /// Whether it is an SQS batch, whose messages are answered for one by one.
    pub(crate) is_queue: bool,
    /// What is in it. Never an error: a record that holds no message is one of them.
    pub(crate) items: Vec<Item>,
}

/// One thing in an event.
#[derive(Debug)]
pub(crate) enum Item {
    /// A message with alerts.
    Message(Delivery),
    /// A delivery that comes back from the dead-letter queue.
    Parked {
        /// Which.
        parked: Parked,
        /// The queue's message.
        sqs_message_id: Option<String>,
    },
    /// A look at a flapping alert that may be calm by now.
    Look {
        /// Which.
        look: Look,
        /// The queue's message.
        sqs_message_id: Option<String>,
    },
    /// A record without a message.
    Unreadable(Unreadable),
}

/// A look at a flapping alert that is due: no message may come by itself when it is calm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// The form of this message.
    pub(crate) schema: LookSchema,
    /// Which alert.
    pub(crate) alert: AlertKey,
}

/// The form of [`Look`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LookSchema {
    /// The first.
    #[serde(rename = "assay.look-again.v1")]
    V1,
}

/// A delivery that a destination refused for good, as it waits in the dead-letter queue. It names
/// the alert and holds nothing of it: the state table does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
    /// The form of this message.
    pub(crate) schema: Schema,
    /// Which alert.
    pub(crate) alert: AlertKey,
    /// Its rule, for whoever looks into the queue.
    pub(crate) rule: String,
    /// Who refused.
    pub(crate) destination: DestinationName,
    /// Why, in the service's code.
    pub(crate) reason: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// The form of [`Parked`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Schema {
    /// The first.
    #[serde(rename = "assay.parked-delivery.v1")]
    V1,
}

/// Takes an event apart.
pub(crate) fn read(mut event: Value) -> Event {
    let is_dry_run = match event.as_object_mut() {
        Some(fields) => fields.remove("dry_run").is_some_and(|flag| flag == true),
        None => false,
    };
    let is_queue = event["Records"][0]["eventSource"] == "aws:sqs";
    let item = |opened: Result<Delivery, Unreadable>| match opened {
        Err(unreadable) => Item::Unreadable(unreadable),
        Ok(delivery) => own(delivery),
    };
    Event { is_dry_run, is_queue, items: open(event).into_iter().map(item).collect() }
}

/// What alert-router itself has put into its queues, and what others send.
fn own(delivery: Delivery) -> Item {
    if let Ok(parked) = serde_json::from_str(&delivery.message) {
        return Item::Parked { parked, sqs_message_id: delivery.sqs_message_id };
    }
    match serde_json::from_str(&delivery.message) {
        Ok(look) => Item::Look { look, sqs_message_id: delivery.sqs_message_id },
        Err(_) => Item::Message(delivery),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parked() -> Parked {
        Parked {
            schema: Schema::V1,
            alert: AlertKey::of(["a"]),
            rule: "Safety low".to_owned(),
            destination: DestinationName::new("slack").unwrap(),
            reason: "is_archived".to_owned(),
            at: "2026-11-24T09:00:00Z".parse().unwrap(),
        }
    }

    fn queue(body: &str) -> Value {
        json!({"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": body}]})
    }

    #[test]
    fn a_dry_run_is_told_from_the_alert_it_is_about() {
        let event = read(json!({"dry_run": true, "alerts": []}));
        assert!(event.is_dry_run && !event.is_queue);
        assert!(
            matches!(&event.items[..], [Item::Message(delivery)] if !delivery.message.contains("dry_run"))
        );
        assert!(!read(json!({"dry_run": "yes"})).is_dry_run);
        assert!(!read(json!("text")).is_dry_run);
    }

    #[test]
    fn what_was_parked_comes_back_as_what_it_was() {
        let body = serde_json::to_string(&parked()).unwrap();
        let event = read(queue(&body));
        assert!(event.is_queue);
        let [Item::Parked { parked: read, sqs_message_id }] = &event.items[..] else { panic!("{event:?}") };
        assert_eq!((read, sqs_message_id.as_deref()), (&parked(), Some("m")));
    }

    #[test]
    fn a_message_of_another_form_is_an_alert() {
        for body in ["text", "{}", r#"{"schema": "assay.parked-delivery.v1"}"#] {
            assert!(matches!(&read(queue(body)).items[..], [Item::Message(_)]), "{body}");
        }
    }
}
