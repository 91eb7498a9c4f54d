//! The answer of a custom resource: CloudFormation waits for it at an address that it gives, and
//! fails the stack after an hour without.
//!
//! Source: CloudFormation user guide, "Custom resource request and response reference".

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::Value;
use thiserror::Error;

use crate::address::Address;
use crate::http::connections;

/// One try.
const WHOLE: Duration = Duration::from_secs(3);
/// Tries after the first.
const RETRIES: usize = 4;

/// An address at which CloudFormation waits: an object in a bucket of its own, signed. It is shown
/// to nobody, because whoever has it can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseUrl(Address);

/// Why a text is no address of CloudFormation. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("ResponseURL is none of CloudFormation's: nobody is answered")]
pub struct NotAResponseUrl;

/// The answer did not get through.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("CloudFormation could not be answered: {0}")]
pub struct Unheard(String);

impl ResponseUrl {
    /// Reads the address. Beside CloudFormation's buckets only this machine is answered, where an
    /// emulator may wait.
    pub fn parse(text: &str) -> Result<Self, NotAResponseUrl> {
        let address = Address::parse(text).map_err(|_| NotAResponseUrl)?;
        let origin = address.origin();
        let is_known = match origin.strip_prefix("https://") {
            Some(host) => is_cloudformation(host),
            // Plain HTTP is an address of this machine, or none at all.
            None => true,
        };
        if is_known { Ok(Self(address)) } else { Err(NotAResponseUrl) }
    }

    /// Answers, again when it failed.
    pub async fn answer(&self, body: &Value) -> Result<(), Unheard> {
        self.answer_through(&connections(WHOLE), body).await
    }

    async fn answer_through(&self, connector: &SharedHttpConnector, body: &Value) -> Result<(), Unheard> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_times(RETRIES)
            .with_jitter()
            .build();
        loop {
            let why = match tokio::time::timeout(WHOLE, self.put(connector, body)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) => why,
                Err(_) => "timeout".to_owned(),
            };
            let Some(pause) = pauses.next() else { return Err(Unheard(why)) };
            tokio::time::sleep(pause).await;
        }
    }

    async fn put(&self, connector: &SharedHttpConnector, body: &Value) -> Result<(), String> {
        let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
        request.set_method("PUT").map_err(|_| "no request")?;
        request.set_uri(self.0.as_str().to_owned()).map_err(|_| "no request")?;
        // The signature is for an empty type.
        request.headers_mut().insert("content-type", "");
        let response = connector.call(request).await.map_err(|_| "connection")?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) { Ok(()) } else { Err(format!("HTTP {status}")) }
    }
}

/// `cloudformation-custom-resource-response-useast1.s3.amazonaws.com`, with a region between or
/// behind `s3`, and China's domain.
fn is_cloudformation(host: &str) -> bool {
    let is_bucket = |bucket: &str| {
        let region = bucket.strip_prefix("cloudformation-custom-resource-response-");
        region.is_some_and(|region| {
            !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    };
    let Some((bucket, service)) = host.split_once('.') else { return false };
    let Some(service) =
        service.strip_suffix(".amazonaws.com").or_else(|| service.strip_suffix(".amazonaws.com.cn"))
    else {
        return false;
    };
    let is_s3 = service == "s3" || service.starts_with("s3.") || service.starts_with("s3-");
    let is_plain = service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    is_bucket(bucket) && is_s3 && is_plain
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{Reply, Wire};

    const URL: &str = "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/\
                       arn%3Aaws%3Acloudformation/x?X-Amz-Signature=quokka";

    async fn answer(wire: &Wire) -> Result<(), Unheard> {
        let connector = SharedHttpConnector::new(wire.clone());
        ResponseUrl::parse(URL).unwrap().answer_through(&connector, &json!({"Status": "SUCCESS"})).await
    }

    #[test]
    fn only_cloudformation_and_this_machine_are_answered() {
        for good in [
            URL,
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-uswest2.s3-us-west-2.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-cnnorth1.s3.cn-north-1.amazonaws.com.cn/x",
            "http://127.0.0.1:4566/_ministack/cfn-response/token",
        ] {
            assert!(ResponseUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "https://example.com/x",
            "https://my-bucket.s3.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-.s3.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com.example.com/x",
            "https://cloudformation-custom-resource-response-useast1.example.amazonaws.com/x",
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com@example.com/x",
            "https://example.com/cloudformation-custom-resource-response-useast1.s3.amazonaws.com",
            "http://169.254.169.254/latest/meta-data",
            "http://cloudformation-custom-resource-response-useast1.s3.amazonaws.com/x",
        ] {
            assert_eq!(ResponseUrl::parse(bad), Err(NotAResponseUrl), "{bad}");
        }
        assert!(!format!("{:?}", ResponseUrl::parse(URL).unwrap()).contains("quokka"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_put_with_an_empty_type_and_again_when_it_failed() {
        let wire = Wire::new([Reply::Reset, Reply::new(503, ""), Reply::Silence, Reply::new(200, "")]);
        answer(&wire).await.unwrap();
        let sent = wire.sent();
        assert_eq!(sent.len(), 4);
        assert_eq!((sent[0].method.as_str(), sent[0].uri.as_str()), ("PUT", URL));
        assert_eq!(sent[0].header("content-type"), Some(""));
        assert_eq!(sent[3].text(), r#"{"Status":"SUCCESS"}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_gets_through_says_why_and_not_where() {
        let error = answer(&Wire::new([Reply::new(403, "expired")])).await.unwrap_err();
        assert_eq!(error.to_string(), "CloudFormation could not be answered: HTTP 403");
    }
}
