//! The parser against samples, rendered messages and damage.

mod cloudwatch;
mod damage;
mod envelopes;
mod hostile;
mod render;
mod rendered;
mod samples;
mod shared_data;

use serde_json::{Value, json};

use super::*;
use crate::alert::{AlertKey, Status};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:grafana-alerts";

/// A message as the topic delivers it.
fn delivered(message: impl Into<String>, subject: Option<&str>) -> Delivery {
    let mut delivery = Delivery::bare(message.into(), String::new());
    delivery.topic_arn = Some(TOPIC.to_owned());
    delivery.subject = subject.map(str::to_owned);
    delivery
}

/// The same, cut after so many bytes as a sender cuts.
fn cut(message: &str, length: usize, subject: Option<&str>) -> Delivery {
    let length = (0..=length).rev().find(|length| message.is_char_boundary(*length)).unwrap_or_default();
    let mut delivery = delivered(&message[..length], subject);
    delivery.attributes.insert("truncated".to_owned(), "true".to_owned());
    delivery
}

fn parsed(message: impl Into<String>) -> Parsed {
    parse(&delivered(message, None))
}

/// The only alert of a message.
fn only(message: impl Into<String>) -> Alert {
    let mut alerts = parsed(message).alerts;
    assert_eq!(alerts.len(), 1);
    alerts.remove(0)
}

fn keys(parsed: &Parsed) -> Vec<AlertKey> {
    parsed.alerts.iter().map(|alert| alert.key.clone()).collect()
}

/// A notification in an event of SNS.
fn sns_event(message: &str, subject: &Value) -> Value {
    json!({"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(message, subject)}]})
}

fn notification(message: &str, subject: &Value) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "5f9a2f1c-0000-4000-8000-000000000001",
        "TopicArn": TOPIC,
        "Subject": subject,
        "Message": message,
        "Timestamp": "2026-03-02T10:15:31.123Z",
        "SignatureVersion": "1",
        "Signature": "none",
        "SigningCertUrl": "https://sns.example.com/cert.pem",
        "UnsubscribeUrl": "https://sns.example.com/leave",
        "MessageAttributes": {"severity": {"Type": "String", "Value": "critical"}},
    })
}
