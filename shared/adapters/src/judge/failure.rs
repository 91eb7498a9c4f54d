//! A call that brought no answer, by what is to be done about it.

use aws_sdk_bedrockruntime::config::http::HttpResponse;
use aws_sdk_bedrockruntime::error::SdkError;
use aws_sdk_bedrockruntime::operation::converse::ConverseError;
use domain::judge::Malformed;
use domain::verdict::{ErrorClass, Failure};
use thiserror::Error;

use crate::Fault;
use crate::fault::{UNREADABLE, is_unsent};

/// Why the judge did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct Unanswered {
    /// What the sample is counted under when no later call answers.
    pub failure: Failure,
    /// Whether the call may have been paid for all the same.
    pub may_cost: bool,
    /// The call's error, without Bedrock's message, which may quote the sample.
    pub fault: Fault,
}

impl Unanswered {
    pub(super) fn of(error: &SdkError<ConverseError, HttpResponse>) -> Self {
        let fault = Fault::of("Converse", error);
        let failure = match error {
            // A body that is not the wire's, under a good status.
            _ if is_good(&fault) && fault.code == UNREADABLE => Failure::Malformed(Malformed::NotJson),
            SdkError::ServiceError(service) => failure_of(service.err(), &fault),
            SdkError::TimeoutError(_) => Failure::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Failure::Timeout,
            SdkError::DispatchFailure(failure) if is_unsent(failure) => Failure::ConfigError(class(&fault)),
            SdkError::ResponseError(_) if !is_good(&fault) => by_status(&fault),
            SdkError::ConstructionFailure(_) => Failure::ConfigError(class(&fault)),
            _ => Failure::JudgeUnavailable(class(&fault)),
        };
        // A judge whose answer broke off or came too late was asked, and maybe paid.
        let may_cost = match error {
            SdkError::DispatchFailure(failure) => !is_unsent(failure),
            _ => failure == Failure::Timeout || is_good(&fault),
        };
        Self { failure, may_cost, fault }
    }

    /// The caller has waited long enough. The judge was asked, and maybe paid.
    pub fn too_late() -> Self {
        let fault = Fault { operation: "Converse", code: "timeout".to_owned(), status: None };
        Self { failure: Failure::Timeout, may_cost: true, fault }
    }

    /// A good status, and nothing in the body.
    pub(super) fn empty() -> Self {
        let fault = Fault { operation: "Converse", code: UNREADABLE.to_owned(), status: Some(200) };
        Self { failure: Failure::Malformed(Malformed::Empty), may_cost: true, fault }
    }
}

fn is_good(fault: &Fault) -> bool {
    matches!(fault.status, Some(200..=299))
}

fn class(fault: &Fault) -> ErrorClass {
    ErrorClass::of(&fault.code.replace(' ', "_"))
}

fn failure_of(error: &ConverseError, fault: &Fault) -> Failure {
    let class = class(fault);
    match error {
        ConverseError::ThrottlingException(_) | ConverseError::ModelNotReadyException(_) => {
            Failure::Throttled
        }
        ConverseError::ModelTimeoutException(_) => Failure::Timeout,
        ConverseError::InternalServerException(_) | ConverseError::ServiceUnavailableException(_) => {
            Failure::JudgeUnavailable(class)
        }
        ConverseError::AccessDeniedException(_) | ConverseError::ResourceNotFoundException(_) => {
            Failure::ConfigError(class)
        }
        ConverseError::ModelErrorException(model) => match model.original_status_code() {
            Some(429 | 500..) => Failure::JudgeUnavailable(class),
            _ => Failure::JudgeError(class),
        },
        ConverseError::ValidationException(refused)
            if is_about_the_account(refused.message().unwrap_or_default()) =>
        {
            Failure::ConfigError(class)
        }
        _ => by_status(fault),
    }
}

/// Answers of a proxy, or errors that this SDK version does not know.
fn by_status(fault: &Fault) -> Failure {
    let class = class(fault);
    match fault.status {
        _ if fault.code.contains("Throttl") || fault.code == "TooManyRequestsException" => Failure::Throttled,
        _ if fault.code == "ServiceQuotaExceededException" => Failure::ConfigError(class),
        Some(429) => Failure::Throttled,
        Some(408) => Failure::Timeout,
        Some(401..=404) => Failure::ConfigError(class),
        Some(500..) | None => Failure::JudgeUnavailable(class),
        Some(_) => Failure::JudgeError(class),
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

/// The text of an error that may be about a part of the request, to learn from and not to log.
pub(super) fn refused_form(error: &SdkError<ConverseError, HttpResponse>) -> Option<&str> {
    match error.as_service_error()? {
        ConverseError::ValidationException(refused) => Some(refused.message().unwrap_or_default()),
        // Models without a prompt cache answer 403, "You invoked an unsupported model or your
        // request did not allow prompt caching", as if access were missing.
        ConverseError::AccessDeniedException(refused) => {
            refused.message().filter(|message| message.contains("prompt caching"))
        }
        _ => None,
    }
}
