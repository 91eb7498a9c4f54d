//! What went wrong in a call to AWS, in words that may be logged.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

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
        E: ProvideErrorMetadata + Error,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = match error {
            SdkError::TimeoutError(_) => "timeout".to_owned(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout".to_owned(),
            SdkError::DispatchFailure(failure) if failure.is_user() => {
                "no credentials or bad endpoint".to_owned()
            }
            SdkError::DispatchFailure(_) => "connection".to_owned(),
            SdkError::ResponseError(_) => "unreadable response".to_owned(),
            SdkError::ServiceError(service) => service.err().code().unwrap_or("unknown error").to_owned(),
            _ => "request could not be built".to_owned(),
        };
        Self { operation, code, status }
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self.status {
            Some(status) => status == 429 || status == 408 || status >= 500 || self.code.contains("Throttl"),
            None => true,
        }
    }
}
