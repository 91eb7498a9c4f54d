//! SQS: work for another invocation. quality-judge puts the rest of a long object back, to be taken
//! up at once: a failed batch item would wait for the visibility timeout and use up one of the
//! tries that lead to the dead-letter queue. capacity-meter splits a run that is too large.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;

use crate::Fault;
use crate::fault::word;
use crate::patience::limited;

/// Messages in one `SendMessageBatch` (API reference).
const MOST_MESSAGES: usize = 10;

/// Bytes in one `SendMessageBatch`: AWS takes more by now, other services that speak SQS do not.
const MOST_BYTES: usize = 262_144;

/// The longest `DelaySeconds` (API reference).
const MOST_DELAY: i32 = 900;

/// A queue to send to.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(&limited(config)), url: url.into() }
    }

    /// Another queue, through the same client.
    #[must_use]
    pub fn beside(&self, url: impl Into<String>) -> Self {
        Self { client: self.client.clone(), url: url.into() }
    }

    /// Sends a message body.
    pub async fn send(&self, body: &str) -> Result<(), Fault> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map(drop).map_err(|error| Fault::of("SendMessage", &error))
    }

    /// Sends a message body that is handed out after `delay`, which is cut to the 15 minutes that SQS
    /// takes.
    pub async fn send_later(&self, body: &str, delay: Duration) -> Result<(), Fault> {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(MOST_DELAY).min(MOST_DELAY);
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        let sent = request.delay_seconds(seconds).send().await;
        sent.map(drop).map_err(|error| Fault::of("SendMessage", &error))
    }

    /// Sends message bodies. Costs one call for each 10, or each 256 KiB.
    ///
    /// # Errors
    /// The first failed call or refused message; others may have been sent.
    pub async fn send_all(&self, bodies: &[String]) -> Result<(), Fault> {
        let failed = |code: &str| Fault::here("SendMessageBatch", word(code));
        for bodies in batches(bodies) {
            let entry = |(place, body): (usize, &String)| {
                SendMessageBatchRequestEntry::builder().id(format!("m{place}")).message_body(body).build()
            };
            let entries = bodies.iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>();
            let entries = entries.map_err(|_| failed("unbuilt"))?;
            let request = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = request.send().await.map_err(|error| Fault::of("SendMessageBatch", &error))?;
            if let Some(refused) = answer.failed().first() {
                return Err(failed(refused.code()));
            }
        }
        Ok(())
    }
}

/// As few runs of bodies as one call each can take.
fn batches(bodies: &[String]) -> Vec<&[String]> {
    let (mut batches, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (place, body) in bodies.iter().enumerate() {
        bytes += body.len();
        if place > first && (bytes > MOST_BYTES || place - first == MOST_MESSAGES) {
            batches.push(&bodies[first..place]);
            (first, bytes) = (place, body.len());
        }
    }
    batches.extend((first < bodies.len()).then(|| &bodies[first..]));
    batches
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{Reply, Wire};

    const URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/captures";

    #[tokio::test(start_paused = true)]
    async fn sends_the_body_as_it_is() {
        let wire = Wire::new([Reply::json(&json!({"MessageId": "m", "MD5OfMessageBody": "d"}))]);
        let body = r#"{"detail": {"object": {"key": "a b+c.jsonl"}}}"#;
        Queue::new(&wire.config(), URL).send(body).await.unwrap();
        let sent = wire.only();
        assert_eq!(sent.header("x-amz-target"), Some("AmazonSQS.SendMessage"));
        assert_eq!(sent.json(), json!({"QueueUrl": URL, "MessageBody": body}));
    }

    #[tokio::test(start_paused = true)]
    async fn a_missing_queue_is_a_fault_that_lasts() {
        let wire = Wire::new([Reply::error(400, "com.amazonaws.sqs#QueueDoesNotExist")]);
        let fault = Queue::new(&wire.config(), URL).send("x").await.unwrap_err();
        assert_eq!(fault.to_string(), "SendMessage failed: QueueDoesNotExist (HTTP 400)");
        assert!(!fault.is_transient());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends() {
        let wire = Wire::new([Reply::Silence]);
        let fault = Queue::new(&wire.config(), URL).send("x").await.unwrap_err();
        assert_eq!((fault.code.as_str(), fault.is_transient()), ("timeout", true));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_is_cut_to_what_sqs_takes() {
        let wire = Wire::new([Reply::json(&json!({"MessageId": "m", "MD5OfMessageBody": "d"}))]);
        let queue = Queue::new(&wire.config(), URL);
        for (minutes, seconds) in [(1, 60), (20, 900)] {
            queue.send_later("x", Duration::from_mins(minutes)).await.unwrap();
            assert_eq!(wire.sent().pop().unwrap().json()["DelaySeconds"], seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_bodies_go_ten_at_a_time() {
        let wire = Wire::new([Reply::json(&json!({"Successful": [], "Failed": []}))]);
        let bodies: Vec<String> = (0..11).map(|place| format!("body {place}")).collect();
        Queue::new(&wire.config(), URL).send_all(&bodies).await.unwrap();
        let sent = wire.sent();
        assert_eq!(sent[0].header("x-amz-target"), Some("AmazonSQS.SendMessageBatch"));
        assert_eq!(sent[0].json()["Entries"].as_array().unwrap().len(), 10);
        let last = json!({"QueueUrl": URL, "Entries": [{"Id": "m0", "MessageBody": "body 10"}]});
        assert_eq!(sent[1].json(), last);
        assert_eq!(sent.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_is_refused_among_others_is_a_fault() {
        let refused = json!({"Id": "m0", "SenderFault": false, "Code": "InternalError", "Message": "x"});
        let wire = Wire::new([Reply::json(&json!({"Successful": [], "Failed": [refused]}))]);
        let fault = Queue::new(&wire.config(), URL).send_all(&["a".to_owned()]).await.unwrap_err();
        assert_eq!(fault.to_string(), "SendMessageBatch failed: InternalError");
    }

    #[test]
    fn a_call_takes_ten_bodies_or_as_many_as_its_bytes() {
        let sizes = |bodies: &[String]| batches(bodies).iter().map(|it| it.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&vec!["x".to_owned(); 25]), [10, 10, 5]);
        let long = vec!["x".repeat(100_000); 5];
        assert_eq!(sizes(&long), [2, 2, 1]);
        assert_eq!(batches(&long).concat(), long);
        assert_eq!(sizes(&["x".repeat(MOST_BYTES + 1)]), [1], "the service refuses it");
    }
}
