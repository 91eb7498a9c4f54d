//! What all AWS clients of a function share.

use aws_config::BehaviorVersion;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_types::SdkConfig;

use crate::http::http_client;

/// Region and credentials as Lambda gives them: in the environment. The SDK's whole chain would
/// find them there too, after it has set up clients for STS and the instance metadata: a tenth of
/// a function's start.
pub async fn aws_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .http_client(http_client())
        .load()
        .await
}
