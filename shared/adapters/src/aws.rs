//! What all AWS clients of a function share.

use std::env;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::identity::IdentityCache;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::http::http_client;

/// Region, credentials and endpoints as Lambda gives them: in the environment. The SDK's own loader
/// finds them there too, but links and sets up all the other places that it would look at (profiles,
/// STS, instance metadata): 6 % of a function's binary and a tenth of its start.
pub fn aws_config() -> SdkConfig {
    from_lookup(|name| env::var(name).ok())
}

fn from_lookup(lookup: Lookup) -> SdkConfig {
    let variables = Variables(lookup);
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(variables.get("AWS_REGION").map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .identity_cache(IdentityCache::lazy().build())
        .http_client(http_client())
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
        .retry_config(RetryConfig::standard())
        .use_fips(variables.are_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(variables.are_on("AWS_USE_DUALSTACK_ENDPOINT"));
    config.set_endpoint_url(variables.get("AWS_ENDPOINT_URL"));
    config.service_config(variables).build()
}

type Lookup = fn(&str) -> Option<String>;

/// Those of one service have its name, such as `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`.
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
#[derive(Debug)]
struct Variables(Lookup);

impl LoadServiceConfig for Variables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        self.get(&format!("{}_{service}", key.env()))
    }
}

impl Variables {
    fn get(&self, name: &str) -> Option<String> {
        self.0(name).filter(|value| !value.is_empty())
    }

    fn are_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_of_one_service_is_told_from_that_of_all() {
        let config = from_lookup(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:1".to_owned()),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME" => Some("http://127.0.0.1:2".to_owned()),
            "AWS_USE_FIPS_ENDPOINT" => Some("True".to_owned()),
            "AWS_USE_DUALSTACK_ENDPOINT" => Some(String::new()),
            _ => None,
        });
        assert_eq!(config.region().map(Region::as_ref), Some("eu-central-1"));
        assert_eq!((config.use_fips(), config.use_dual_stack()), (Some(true), Some(false)));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        let own = |service| {
            let key = ServiceConfigKey::builder()
                .service_id(service)
                .env("AWS_ENDPOINT_URL")
                .profile("endpoint_url")
                .build()
                .unwrap();
            config.service_config().unwrap().load_config(key)
        };
        assert_eq!(own("Bedrock Runtime").as_deref(), Some("http://127.0.0.1:2"));
        assert_eq!(own("S3"), None);
    }
}
