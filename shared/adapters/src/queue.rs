//! SQS: puts the rest of a long object back, to be taken up at once. A failed batch item would
//! wait for the visibility timeout and use up one of the tries that lead to the dead-letter queue.

use aws_sdk_sqs::Client;

use crate::Fault;

/// The queue of capture objects.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig, url: impl Into<String>) -> Self {
        Self { client: Client::new(config), url: url.into() }
    }

    /// Sends a message body.
    pub async fn send(&self, body: &str) -> Result<(), Fault> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map(drop).map_err(|error| Fault::of("SendMessage", &error))
    }
}
