//! The AWS clients of whoever tests, pointed at the emulator.

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::Credentials;

use crate::emulator::REGION;

/// One of each.
#[derive(Debug, Clone)]
pub struct Clients {
    endpoint: String,
    /// The stack.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// Published metrics.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// The state table.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The functions.
    pub lambda: aws_sdk_lambda::Client,
    /// Captures and verdicts.
    pub s3: aws_sdk_s3::Client,
    /// Secrets.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// Topics.
    pub sns: aws_sdk_sns::Client,
    /// Parameters.
    pub parameters: aws_sdk_ssm::Client,
    /// The queues.
    pub sqs: aws_sdk_sqs::Client,
}

impl Clients {
    /// Clients of the emulator at `endpoint`. They never read the machine's own AWS settings: a
    /// test must not reach a real account.
    pub async fn of(endpoint: &str) -> Self {
        let credentials = Credentials::new("test", "test", None, None, "emulator");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .empty_test_environment()
            .region(Region::from_static(REGION))
            .credentials_provider(credentials)
            .endpoint_url(endpoint)
            .load()
            .await;
        Self {
            endpoint: endpoint.to_owned(),
            cloudformation: aws_sdk_cloudformation::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            s3: aws_sdk_s3::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            parameters: aws_sdk_ssm::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
        }
    }

    /// The emulator's address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}
