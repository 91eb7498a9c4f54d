//! A call that brought no answer, by what is to be done about it.

use aws_sdk_bedrockruntime::config::http::HttpResponse;
use aws_sdk_bedrockruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrockruntime::operation::converse::ConverseError;
use domain::verdict::Outcome;
use thiserror::Error;

use crate::Fault;

/// Why the judge did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct Unanswered {
    /// What the sample is counted under when nothing better follows.
    pub outcome: Outcome,
    /// Whether no call can succeed until somebody changes the account or the configuration.
    pub is_terminal: bool,
    /// The call's error, without Bedrock's message, which may quote the sample.
    pub fault: Fault,
}

impl Unanswered {
    pub(super) fn of(error: &SdkError<ConverseError, HttpResponse>) -> Self {
        let fault = Fault::of("Converse", error);
        let outcome = match error {
            SdkError::ServiceError(service) => outcome_of(service.err(), fault.status.unwrap_or(500)),
            SdkError::TimeoutError(_) => Outcome::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Outcome::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_user() => Outcome::ConfigError,
            SdkError::ResponseError(_) => unreadable(fault.status),
            SdkError::ConstructionFailure(_) => Outcome::ConfigError,
            _ => Outcome::JudgeUnavailable,
        };
        Self { is_terminal: outcome == Outcome::ConfigError, outcome, fault }
    }
}

fn outcome_of(error: &ConverseError, status: u16) -> Outcome {
    match error {
        ConverseError::ThrottlingException(_) | ConverseError::ModelNotReadyException(_) => Outcome::Throttled,
        ConverseError::ModelTimeoutException(_) => Outcome::Timeout,
        ConverseError::InternalServerException(_) | ConverseError::ServiceUnavailableException(_) => {
            Outcome::JudgeUnavailable
        }
        ConverseError::AccessDeniedException(_) | ConverseError::ResourceNotFoundException(_) => {
            Outcome::ConfigError
        }
        ConverseError::ModelErrorException(model) => match model.original_status_code() {
            Some(429 | 500..) => Outcome::JudgeUnavailable,
            _ => Outcome::JudgeError,
        },
        ConverseError::ValidationException(refused) if is_about_the_account(refused.message().unwrap_or_default()) => {
            Outcome::ConfigError
        }
        _ => by_status(error.code().unwrap_or_default(), status),
    }
}

/// Answers of a proxy, or errors that this SDK version does not know.
fn by_status(code: &str, status: u16) -> Outcome {
    match status {
        _ if code.contains("Throttl") || code == "TooManyRequestsException" => Outcome::Throttled,
        _ if code == "ServiceQuotaExceededException" => Outcome::ConfigError,
        429 => Outcome::Throttled,
        408 => Outcome::Timeout,
        401..=404 => Outcome::ConfigError,
        500.. => Outcome::JudgeUnavailable,
        _ => Outcome::JudgeError,
    }
}

/// A body that is not the wire's: the judge may have been paid, so it is not asked again.
fn unreadable(status: Option<u16>) -> Outcome {
    match status {
        Some(200..=299) => Outcome::Malformed,
        Some(status) => by_status("", status),
        None => Outcome::JudgeUnavailable,
    }
}

/// Validation errors that every sample would meet. Texts as seen in public issue threads; an
/// unknown text stays a failure of the one sample.
fn is_about_the_account(message: &str) -> bool {
    const TEXTS: [&str; 5] = [
        "model identifier is invalid",
        "use case details have not been submitted",
        "on-demand throughput isn",
        "not authorized to invoke",
        "model is not supported",
    ];
    let message = message.to_ascii_lowercase();
    TEXTS.iter().any(|text| message.contains(text))
}

/// The text of a validation error, to learn from and not to log.
pub(super) fn validation_message(error: &SdkError<ConverseError, HttpResponse>) -> Option<&str> {
    match error.as_service_error()? {
        ConverseError::ValidationException(refused) => Some(refused.message().unwrap_or_default()),
        _ => None,
    }
}
