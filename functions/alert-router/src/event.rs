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
    /// What alert-router itself has put into one of its queues.
    Returned {
        /// What.
        returned: Returned,
        /// The queue's message.
        sqs_message_id: Option<String>,
    },
    /// A record without a message.
    Unreadable(Unreadable),
}

/// What alert-router itself puts into its queues, to come back by the return queue. It names alerts and
/// holds nothing of them: the state table does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "schema")]
pub(crate) enum Returned {
    /// A delivery that a destination refused for good, as it waits in the dead-letter queue.
    #[serde(rename = "assay.parked-delivery.v1")]
    Parked(Parked),
    /// A look at an alert.
    #[serde(rename = "assay.look-again.v1")]
    Look(Look),
    /// The end of a minute in which a summary told of a storm.
    #[serde(rename = "assay.storm-minute.v1")]
    StormMinute(StormMinute),
}

/// A delivery that a destination refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
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

/// A look at an alert for which no message may come by itself: it flaps and may be calm, a mute may be
/// over, what held it back is, or more is to be told than one invocation could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// Which alert.
    pub(crate) alert: AlertKey,
    /// Not before: a queue delays by 15 minutes at most.
    #[serde(default)]
    pub(crate) due: Option<Timestamp>,
}

/// What the summary of a route stands for is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StormMinute {
    /// The route.
    pub(crate) route: String,
    /// When the minute is over.
    pub(crate) due: Timestamp,
}

impl Returned {
    /// When it is to be taken up.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self {
            Self::Parked(_) => None,
            Self::Look(look) => look.due,
            Self::StormMinute(minute) => Some(minute.due),
        }
    }
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
    match serde_json::from_str(&delivery.message) {
        Ok(returned) => Item::Returned { returned, sqs_message_id: delivery.sqs_message_id },
        Err(_) => Item::Message(delivery),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at() -> Timestamp {
        "2026-11-24T09:00:00Z".parse().unwrap()
    }

    fn parked() -> Returned {
        Returned::Parked(Parked {
            alert: AlertKey::of(["a"]),
            rule: "Safety low".to_owned(),
            destination: DestinationName::new("slack").unwrap(),
            reason: "is_archived".to_owned(),
            at: at(),
        })
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
    fn what_was_put_into_a_queue_comes_back_as_what_it_was() {
        let look = Returned::Look(Look { alert: AlertKey::of(["a"]), due: Some(at()) });
        let minute = Returned::StormMinute(StormMinute { route: "all".to_owned(), due: at() });
        for (sent, due) in [(parked(), None), (look, Some(at())), (minute, Some(at()))] {
            let event = read(queue(&serde_json::to_string(&sent).unwrap()));
            assert!(event.is_queue);
            let [Item::Returned { returned, sqs_message_id }] = &event.items[..] else { panic!("{event:?}") };
            assert_eq!((returned, sqs_message_id.as_deref()), (&sent, Some("m")));
            assert_eq!(returned.due(), due);
        }
    }

    #[test]
    fn a_message_of_another_form_is_an_alert() {
        for body in ["text", "{}", r#"{"schema": "assay.parked-delivery.v1"}"#] {
            assert!(matches!(&read(queue(body)).items[..], [Item::Message(_)]), "{body}");
        }
    }
}
