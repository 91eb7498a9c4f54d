//! What went wrong in a call to AWS, in words that may be logged.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

/// No answer in time, or no connection.
pub(crate) const TIMEOUT: &str = "timeout";
/// The connection was not made, or broke off before the end of the answer.
pub(crate) const CONNECTION: &str = "connection";
/// A whole answer that is not what the service's protocol says.
pub(crate) const UNREADABLE: &str = "unreadable response";
/// Nothing was sent.
const UNSENT: &str = "no credentials or bad endpoint";
const UNBUILT: &str = "request could not be built";
const UNKNOWN: &str = "unknown error";

/// A failed AWS call: the operation, the service's error code and the HTTP status.
///
/// The service's message is left out on purpose: validation messages quote their input.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{operation} failed: {code}{}", status.map(|status| format!(" (HTTP {status})")).unwrap_or_default())]
pub struct Fault {
    /// Such as `GetObject`.
    pub operation: &'static str,
    /// The service's code such as `NoSuchKey`, or `timeout`, `connection`, `unreadable response`.
    pub code: String,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
}

impl Fault {
    /// Reads what an SDK call returned.
    pub fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = match error {
            SdkError::TimeoutError(_) => TIMEOUT,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => TIMEOUT,
            SdkError::DispatchFailure(failure) if is_unsent(failure) => UNSENT,
            SdkError::DispatchFailure(_) => CONNECTION,
            // The SDK loads a body before it reads it, and keeps none that broke off.
            SdkError::ResponseError(response) if response.raw().body().bytes().is_none() => CONNECTION,
            SdkError::ResponseError(_) => UNREADABLE,
            SdkError::ServiceError(service) => match service.err().code() {
                Some(code) => word(code),
                // The SDK's name for a good answer that it could not read.
                None if service.raw().status().is_success() => UNREADABLE,
                None => UNKNOWN,
            },
            _ => UNBUILT,
        };
        Self { operation, code: code.to_owned(), status }
    }

    /// A fault that is none of the SDK's.
    #[cfg(feature = "patience")]
    pub(crate) fn here(operation: &'static str, code: impl Into<String>) -> Self {
        Self { operation, code: code.into(), status: None }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        let is_by_code = [TIMEOUT, CONNECTION].contains(&self.code.as_str()) || is_throttle(&self.code);
        is_by_code || matches!(self.status, Some(408 | 429 | 500..))
    }
}

/// That a list was read to its end. The SDK ends it, without a word, at a page that names itself as
/// the next.
#[cfg(any(feature = "cloudwatch", feature = "pricing", feature = "sagemaker"))]
pub(crate) fn has_ended(operation: &'static str, next: Option<String>) -> Result<(), Fault> {
    match next {
        Some(token) if !token.is_empty() => Err(Fault::here(operation, UNREADABLE)),
        _ => Ok(()),
    }
}

/// Whether a code asks for fewer calls or another try, whatever its status: DynamoDB throttles
/// with 400. The list is the SDK's own (aws-runtime, `THROTTLING_ERRORS` and `TRANSIENT_ERRORS`).
fn is_throttle(code: &str) -> bool {
    const CODES: [&str; 9] = [
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
    ];
    CODES.contains(&code) || code.contains("Throttl")
}

/// Whether the failure came before anything was sent.
pub(crate) fn is_unsent(failure: &DispatchFailure) -> bool {
    let error = failure.as_connector_error().map(|error| error as &(dyn Error + 'static));
    let mut causes = std::iter::successors(error, |error| (*error).source());
    failure.is_user() || causes.any(|cause| cause.downcast_ref::<CredentialsError>().is_some_and(is_lasting))
}

/// Whether credentials are missing rather than late.
fn is_lasting(error: &CredentialsError) -> bool {
    matches!(error, CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_))
}

/// A service's error code. What is no single word is not one, and might be a message.
pub(crate) fn word(code: &str) -> &str {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=64).contains(&code.len()) && code.bytes().all(is_allowed) { code } else { UNKNOWN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_is_what_mends_itself() {
        let table = [
            (TIMEOUT, None, true),
            (CONNECTION, None, true),
            (CONNECTION, Some(200), true),
            (UNREADABLE, Some(200), false),
            (UNSENT, None, false),
            (UNBUILT, None, false),
            ("the state table's counter is not what Assay wrote", None, false),
            ("ThrottlingException", Some(400), true),
            ("Throttling", Some(400), true),
            ("RequestThrottled", Some(400), true),
            ("ProvisionedThroughputExceededException", Some(400), true),
            ("RequestLimitExceeded", Some(400), true),
            ("RequestTimeout", Some(400), true),
            ("SlowDown", Some(503), true),
            (UNKNOWN, Some(429), true),
            (UNKNOWN, Some(408), true),
            (UNKNOWN, Some(500), true),
            ("InternalServerError", Some(504), true),
            ("ValidationException", Some(400), false),
            ("ConditionalCheckFailedException", Some(400), false),
            ("AccessDenied", Some(403), false),
            ("NoSuchKey", Some(404), false),
        ];
        for (code, status, is_transient) in table {
            let fault = Fault { operation: "X", code: code.to_owned(), status };
            assert_eq!(fault.is_transient(), is_transient, "{fault}");
        }
    }

    #[test]
    fn a_code_that_is_a_sentence_is_not_kept() {
        assert_eq!(word("KMS.DisabledException"), "KMS.DisabledException");
        for text in ["", "my diagnosis", "ünknown", &"x".repeat(65)] {
            assert_eq!(word(text), UNKNOWN);
        }
    }

    #[test]
    fn reads_as_one_line() {
        let fault = Fault { operation: "GetObject", code: "NoSuchKey".to_owned(), status: Some(404) };
        assert_eq!(fault.to_string(), "GetObject failed: NoSuchKey (HTTP 404)");
        assert_eq!(Fault { status: None, ..fault }.to_string(), "GetObject failed: NoSuchKey");
    }
}
