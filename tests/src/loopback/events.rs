//! Captures and the events that tell of them.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The endpoint of [`key`].
pub const ENDPOINT: &str = "support-chat";

/// A key as SageMaker would write it now.
pub fn key(name: &str) -> String {
    let hour = Timestamp::now().strftime("%Y/%m/%d/%H").to_string();
    format!("data-capture/{ENDPOINT}/AllTraffic/{hour}/{name}.jsonl")
}

/// A capture record of component `component`, in the OpenAI chat form, of an inference just now.
pub fn record(event_id: &str, component: &str, question: &str, answer: &str) -> String {
    record_at(Timestamp::now(), event_id, component, question, answer)
}

/// The same of an inference at `at`.
pub fn record_at(at: Timestamp, event_id: &str, component: &str, question: &str, answer: &str) -> String {
    let input = json!({"messages": [{"role": "user", "content": question}]}).to_string();
    let choice = json!({"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30});
    let output = json!({"choices": [choice], "usage": usage}).to_string();
    let side = |mode: &str, data: String| json!({"observedContentType": "application/json", "mode": mode, "data": data, "encoding": "JSON"});
    let record = json!({
        "captureData": {"endpointInput": side("INPUT", input), "endpointOutput": side("OUTPUT", output)},
        "eventMetadata": {
            "eventId": event_id,
            "customAttributes": [format!("ic={component}")],
            "inferenceTime": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "eventVersion": "0",
    });
    record.to_string() + "\n"
}

/// `count` records whose event ids start with `prefix`.
pub fn records(prefix: &str, component: &str, count: usize) -> String {
    let one = |index: usize| {
        let question = format!("How do I reset password number {index}?");
        record(
            &format!("{prefix}-{index}"),
            component,
            &question,
            "Open settings and reset the password there.",
        )
    };
    (0..count).map(one).collect()
}

/// An S3 notification for an object.
pub fn notification(bucket: &str, key: &str, etag: Option<&str>) -> Value {
    let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC).to_string();
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": Timestamp::now().to_string(), "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "A"}, "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {}, "s3": {
            "s3SchemaVersion": "1.0", "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": encoded, "size": 1, "eTag": etag, "sequencer": "0"},
        },
    }]})
}

/// An EventBridge "Object Created" event for an object. It carries keys as they are.
pub fn created(bucket: &str, key: &str, etag: Option<&str>) -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3",
        "account": "000000000000", "time": Timestamp::now().to_string(), "region": "us-east-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 1, "etag": etag}},
    })
}

/// An SQS batch with one message for each body; the ids are `message-0` and so on.
pub fn batch(bodies: &[String]) -> Value {
    let message = |(index, body): (usize, &String)| {
        json!({
            "messageId": format!("message-{index}"), "receiptHandle": "r", "body": body,
            "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "md5OfBody": "m",
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:captures",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
}
