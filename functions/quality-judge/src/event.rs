//! Which objects an event is about, whichever way it came: an SQS batch, an S3 notification or an
//! EventBridge event.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use aws_lambda_events::s3::S3Event;
use aws_lambda_events::sqs::SqsEvent;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

/// One version of an object that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Arrival {
    /// The bucket.
    pub(crate) bucket: String,
    /// The key, decoded.
    pub(crate) key: String,
    /// The version, when the event names it.
    pub(crate) etag: Option<String>,
}

/// An event, read.
#[derive(Debug, PartialEq)]
pub(crate) enum Event {
    /// Messages of the queue, each answered for by itself.
    Queue(Vec<Message>),
    /// Objects of a plain S3 or EventBridge event: all succeed or the event is retried.
    Direct(Vec<Arrival>),
}

/// One message of the queue.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// What a batch item failure names.
    pub(crate) id: String,
    /// The body as it came, to be sent again for what is left of a long object.
    pub(crate) body: String,
    /// The objects in it. A test event has none.
    pub(crate) arrivals: Result<Vec<Arrival>, NotAnEvent>,
}

/// A payload that says nothing about S3 objects. Its content is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("this is neither an SQS batch, an S3 notification nor an EventBridge \"Object Created\" event: {0}")]
pub(crate) struct NotAnEvent(String);

/// Reads any event that quality-judge is wired to, or that a local invoke sends.
pub(crate) fn read(event: Value) -> Result<Event, NotAnEvent> {
    let is_queue = event["Records"][0]["eventSource"] == "aws:sqs";
    if !is_queue {
        return arrivals(event).map(Event::Direct);
    }
    let batch: SqsEvent = serde_json::from_value(event).map_err(|error| unreadable(&error))?;
    let message = |record: aws_lambda_events::sqs::SqsMessage| {
        let body = record.body.unwrap_or_default();
        let arrivals = serde_json::from_str(&body).map_err(|error| unreadable(&error)).and_then(arrivals);
        Message { id: record.message_id.unwrap_or_default(), body, arrivals }
    };
    Ok(Event::Queue(batch.records.into_iter().map(message).collect()))
}

/// The objects of one S3 notification or EventBridge event; none for S3's test event.
fn arrivals(event: Value) -> Result<Vec<Arrival>, NotAnEvent> {
    if event["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    if event["detail-type"] == "Object Created" {
        return from_event_bridge(event).map(|arrival| vec![arrival]);
    }
    if event["Records"][0]["eventSource"] == "aws:s3" {
        return from_notification(event);
    }
    Err(NotAnEvent("none of the three was recognised".to_owned()))
}

/// The part of an "Object Created" detail that is read (S3 user guide, "ev-events").
#[derive(Deserialize)]
struct ObjectCreated {
    bucket: Named,
    object: CreatedObject,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct CreatedObject {
    key: String,
    etag: Option<String>,
}

fn from_event_bridge(event: Value) -> Result<Arrival, NotAnEvent> {
    let event: EventBridgeEvent<Value> = serde_json::from_value(event).map_err(|error| unreadable(&error))?;
    let detail = serde_json::from_value(event.detail).map_err(|error| unreadable(&error))?;
    let ObjectCreated { bucket, object } = detail;
    // EventBridge carries keys as they are: decoding one would turn a '+' into a space.
    Ok(Arrival { bucket: bucket.name, key: object.key, etag: object.etag })
}

fn from_notification(event: Value) -> Result<Vec<Arrival>, NotAnEvent> {
    let event: S3Event = serde_json::from_value(event).map_err(|error| unreadable(&error))?;
    let created = event.records.into_iter().filter(|record| {
        // A deletion is no arrival. Older events put "s3:" before the name.
        record
            .event_name
            .as_deref()
            .is_none_or(|name| name.trim_start_matches("s3:").starts_with("ObjectCreated"))
    });
    created
        .map(|record| {
            let missing = |field: &str| NotAnEvent(format!("an S3 record has no {field}"));
            Ok(Arrival {
                bucket: record.s3.bucket.name.ok_or_else(|| missing("bucket name"))?,
                key: decoded(&record.s3.object.key.ok_or_else(|| missing("object key"))?)?,
                etag: record.s3.object.e_tag,
            })
        })
        .collect()
}

/// A notification's key is form-encoded: `+` is a space.
fn decoded(key: &str) -> Result<String, NotAnEvent> {
    let spaced = key.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| NotAnEvent("an object key is not UTF-8".to_owned()))
}

/// serde's message without the values that it quotes: they are the payload's.
fn unreadable(error: &serde_json::Error) -> NotAnEvent {
    NotAnEvent(format!("{:?} error at line {}, column {}", error.classify(), error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn notification(key: &str) -> Value {
        json!({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-11-24T05:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": {"principalId": "A"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {}, "s3": {
                "s3SchemaVersion": "1.0", "bucket": {"name": "captures", "arn": "arn:aws:s3:::captures"},
                "object": {"key": key, "size": 10, "eTag": "abc", "sequencer": "0"}
            }
        }]})
    }

    fn created(key: &str) -> Value {
        json!({
            "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3", "account": "1",
            "time": "2026-11-24T05:00:00Z", "region": "us-east-1", "resources": ["arn:aws:s3:::captures"],
            "detail": {"version": "0", "bucket": {"name": "captures"}, "object": {"key": key, "size": 10, "etag": "abc"}}
        })
    }

    fn arrival(key: &str) -> Arrival {
        Arrival { bucket: "captures".to_owned(), key: key.to_owned(), etag: Some("abc".to_owned()) }
    }

    #[test]
    fn keys_are_decoded_where_s3_encodes_them() {
        assert_eq!(
            read(notification("a+b%2Bc/%C3%BC.jsonl")).unwrap(),
            Event::Direct(vec![arrival("a b+c/ü.jsonl")])
        );
        assert_eq!(
            read(created("a+b c/%20.jsonl")).unwrap(),
            Event::Direct(vec![arrival("a+b c/%20.jsonl")])
        );
    }

    #[test]
    fn what_a_replay_announces_is_an_arrival() {
        // No more than this is sent by optional/replay.yaml and the loop in docs/operations.md.
        let body = json!({
            "detail-type": "Object Created", "source": "aws.s3",
            "detail": {"bucket": {"name": "captures"}, "object": {"key": "a b+c.jsonl"}}
        });
        let announced = Arrival { etag: None, ..arrival("a b+c.jsonl") };
        assert_eq!(read(body).unwrap(), Event::Direct(vec![announced]));
    }

    #[test]
    fn a_bad_message_costs_only_itself() {
        let message = |id: &str, body: String| {
            json!({"messageId": id, "eventSource": "aws:sqs", "body": body, "attributes": {}, "messageAttributes": {},
                   "awsRegion": "us-east-1", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "receiptHandle": "r"})
        };
        let batch = json!({"Records": [
            message("1", notification("a.jsonl").to_string()),
            message("2", "private words, not JSON".to_owned()),
            message("3", created("b.jsonl").to_string()),
            message("4", json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "captures"}).to_string()),
        ]});
        let Event::Queue(messages) = read(batch).unwrap() else { panic!("not a batch") };
        assert_eq!(messages[0].arrivals, Ok(vec![arrival("a.jsonl")]));
        assert!(!messages[1].arrivals.clone().unwrap_err().to_string().contains("private"));
        assert_eq!(messages[2].arrivals, Ok(vec![arrival("b.jsonl")]));
        assert_eq!(messages[3].arrivals, Ok(vec![]));
    }

    #[test]
    fn other_events_are_refused_with_what_would_be_right() {
        for other in [json!({}), json!(null), json!([1]), json!({"Records": []}), json!({"detail-type": "x"})]
        {
            let error = read(other).unwrap_err();
            assert!(error.to_string().contains("neither an SQS batch"), "{error}");
        }
        assert_eq!(read(json!({"Event": "s3:TestEvent"})).unwrap(), Event::Direct(vec![]));
    }

    #[test]
    fn a_deletion_is_no_arrival() {
        let mut event = notification("a.jsonl");
        event["Records"][0]["eventName"] = json!("ObjectRemoved:Delete");
        assert_eq!(read(event).unwrap(), Event::Direct(vec![]));
    }
}
