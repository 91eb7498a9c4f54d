use Failure::{ConfigError, JudgeError, JudgeUnavailable, Throttled, Timeout};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{SharedCredentialsProvider, future};

use super::*;

async fn unanswered(reply: Reply) -> Unanswered {
    let wire = Wire::new([reply]);
    let unanswered = ask(&wire).await.unwrap_err();
    // One call is one attempt: the caller sets the pace.
    assert_eq!(wire.sent().len(), 1, "{unanswered:?}");
    for text in [format!("{unanswered:?}"), unanswered.to_string()] {
        assert!(!text.contains(SECRET) && !text.contains("the sample"), "{text}");
    }
    unanswered
}

#[tokio::test(start_paused = true)]
async fn each_error_class_has_its_failure() {
    let table = [
        (400, "ValidationException", JudgeError(class("ValidationException"))),
        (403, "AccessDeniedException", ConfigError(class("AccessDeniedException"))),
        (404, "ResourceNotFoundException", ConfigError(class("ResourceNotFoundException"))),
        (408, "ModelTimeoutException", Timeout),
        (429, "ThrottlingException", Throttled),
        (429, "ModelNotReadyException", Throttled),
        (500, "InternalServerException", JudgeUnavailable(class("InternalServerException"))),
        (503, "ServiceUnavailableException", JudgeUnavailable(class("ServiceUnavailableException"))),
        // Not Converse's own, but seen.
        (400, "ServiceQuotaExceededException", ConfigError(class("ServiceQuotaExceededException"))),
        (400, "ThrottlingException", Throttled),
        (400, "TooManyRequestsException", Throttled),
        (403, "ExpiredTokenException", ConfigError(class("ExpiredTokenException"))),
        (409, "ConflictException", JudgeError(class("ConflictException"))),
        (502, "Oops", JudgeUnavailable(class("Oops"))),
    ];
    for (status, code, failure) in table {
        let unanswered = unanswered(Reply::error(status, code)).await;
        assert_eq!(unanswered.failure, failure, "{status} {code}");
        assert_eq!(unanswered.may_cost, failure == Timeout, "{status} {code}");
        assert_eq!(
            unanswered.to_string(),
            format!("Converse failed: {code} (HTTP {status})"),
            "{unanswered:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_error_counts_by_what_the_model_answered() {
    let model_error = |original: Value| {
        let body =
            json!({"__type": "ModelErrorException", "message": SECRET, "originalStatusCode": original});
        Reply::new(424, body.to_string())
    };
    let class = class("ModelErrorException");
    for (original, failure) in [
        (json!(500), JudgeUnavailable(class.clone())),
        (json!(429), JudgeUnavailable(class.clone())),
        (json!(400), JudgeError(class.clone())),
        (Value::Null, JudgeError(class.clone())),
    ] {
        let unanswered = unanswered(model_error(original.clone())).await;
        assert_eq!((unanswered.failure, unanswered.may_cost), (failure, false), "{original}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_every_sample_would_meet_is_a_matter_of_configuration() {
    for message in [
        "The provided model identifier is invalid.",
        "Model use case details have not been submitted for this account. Fill out the form first.",
        "Invocation of model ID x with on-demand throughput isn\u{2019}t supported. Retry with a profile.",
    ] {
        let unanswered = unanswered(invalid(message)).await;
        assert_eq!(unanswered.failure, ConfigError(class("ValidationException")), "{message}");
        assert!(!format!("{unanswered:?} {unanswered}").contains(message));
    }
    let form = "Model use case details have not been submitted for this account.";
    let unanswered = unanswered(Reply::json_error(404, "ResourceNotFoundException", form)).await;
    assert_eq!(unanswered.failure, ConfigError(class("ResourceNotFoundException")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_known_body_counts_by_its_status() {
    for (status, failure) in [
        (401, ConfigError(class("unknown_error"))),
        (408, Timeout),
        (418, JudgeError(class("unknown_error"))),
        (429, Throttled),
        (504, JudgeUnavailable(class("unknown_error"))),
    ] {
        let unanswered = unanswered(Reply::new(status, "<html>busy</html>")).await;
        assert_eq!(unanswered.failure, failure, "{status}");
        assert_eq!(unanswered.fault.status, Some(status));
    }
    let unanswered = unanswered(Reply::new(500, "{").breaking_off()).await;
    assert_eq!((unanswered.failure, unanswered.may_cost), (JudgeUnavailable(class("connection")), false));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_may_have_cost() {
    for reply in [Reply::Reset, Reply::new(200, r#"{"output":"#).breaking_off()] {
        let unanswered = unanswered(reply).await;
        assert_eq!(unanswered.failure, JudgeUnavailable(class("connection")));
        assert!(unanswered.may_cost && unanswered.fault.is_transient());
    }
    let unanswered = unanswered(Reply::NoConnection).await;
    assert_eq!(unanswered.failure, Timeout);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_good_answer_is_malformed_and_paid() {
    let deep = format!(r#"{{"output":{}"#, "[".repeat(100_000));
    for (body, malformed) in [
        ("<html>", Malformed::NotJson),
        (r#"{"output":{"message":{"role":"assistant","content":[{"text":"#, Malformed::NotJson),
        (deep.as_str(), Malformed::NotJson),
        ("{}", Malformed::Empty),
        ("", Malformed::Empty),
    ] {
        let unanswered = unanswered(Reply::new(200, body)).await;
        assert_eq!(unanswered.failure, Failure::Malformed(malformed), "{body:.60}");
        assert!(unanswered.may_cost);
        assert_eq!(unanswered.to_string(), "Converse failed: unreadable response (HTTP 200)");
    }
}

#[tokio::test(start_paused = true)]
async fn without_credentials_nothing_is_sent_and_nothing_costs() {
    #[derive(Debug)]
    struct Nobody;
    impl aws_credential_types::provider::ProvideCredentials for Nobody {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("none")))
        }
    }
    let wire = Wire::new([good()]);
    let config =
        wire.config().into_builder().credentials_provider(SharedCredentialsProvider::new(Nobody)).build();
    let unanswered = BedrockJudge::new(&config, "m").ask(&brief(), "x").await.unwrap_err();
    assert_eq!(unanswered.failure, ConfigError(class("no_credentials_or_bad_endpoint")));
    assert!(!unanswered.may_cost && !unanswered.fault.is_transient());
    assert!(wire.sent().is_empty());
}
