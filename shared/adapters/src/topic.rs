//! SNS `Publish`: to the topic that Amazon Q Developer reads in chat applications.

use aws_sdk_sns::Client;

use crate::Fault;
use crate::patience::limited;

/// SNS, as a publisher.
#[derive(Debug, Clone)]
pub struct Topics {
    client: Client,
}

impl Topics {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig) -> Self {
        Self { client: Client::new(&limited(config)) }
    }

    /// Publishes a message of at most 256 KiB.
    pub async fn publish(&self, topic_arn: &str, message: &str) -> Result<(), Fault> {
        let request = self.client.publish().topic_arn(topic_arn).message(message);
        request.send().await.map(drop).map_err(|error| Fault::of("Publish", &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Reply, SECRET, Wire};

    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:chat";

    #[tokio::test(start_paused = true)]
    async fn publishes_the_message_as_it_is() {
        let answer = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                      <MessageId>m</MessageId></PublishResult></PublishResponse>";
        let wire = Wire::new([Reply::new(200, answer)]);
        Topics::new(&wire.config()).publish(TOPIC, r#"{"version": "1.0", "a": "b&c"}"#).await.unwrap();
        let sent = wire.only().text();
        for part in [
            "Action=Publish",
            "TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3Achat",
            "Message=%7B%22version%22%3A%20%221.0%22%2C%20%22a%22%3A%20%22b%26c%22%7D",
        ] {
            assert!(sent.contains(part), "{part} is not in {sent}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_has_a_code_and_no_message() {
        let answer = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>{SECRET}</Message>\
             </Error><RequestId>r</RequestId></ErrorResponse>"
        );
        let wire = Wire::new([Reply::new(400, answer)]);
        let fault = Topics::new(&wire.config()).publish(TOPIC, "x").await.unwrap_err();
        assert_eq!(fault.to_string(), "Publish failed: InvalidParameter (HTTP 400)");
        assert!(!fault.is_transient());
    }
}
