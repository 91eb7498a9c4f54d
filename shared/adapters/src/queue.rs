//! SQS: puts the rest of a long object back, to be taken up at once. A failed batch item would
//! wait for the visibility timeout and use up one of the tries that lead to the dead-letter queue.

use aws_sdk_sqs::Client;

use crate::Fault;
use crate::patience::limited;

/// The queue of capture objects.
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

    /// Sends a message body.
    pub async fn send(&self, body: &str) -> Result<(), Fault> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map(drop).map_err(|error| Fault::of("SendMessage", &error))
    }
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
}
