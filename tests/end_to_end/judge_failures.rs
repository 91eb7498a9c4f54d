//! Whatever the judge answers: each failure has its own name and metric, none becomes a score, and
//! what may be answered later is asked again.
#![expect(clippy::unwrap_used, reason = "a panic is how a test says what is wrong")]

use std::time::Duration;

use serde_json::{Value, json};
use tests::loopback::{CAPTURES, Loopback, batch, key, notification, record, records};
use tests::runtime_api::{Answer, Function};

const MINUTE: Duration = Duration::from_mins(1);

/// Stands in every sample and in every message of the judge, and must not get into the log.
const MARK: &str = "quokkaword";

/// A record that a script can tell by `name`.
fn sample(name: &str) -> String {
    let question = format!("How does {name} reset the {MARK} password?");
    record(&format!("event-{name}"), "gpt", &question, &format!("Reset the {MARK} password in settings."))
}

fn verdict() -> Value {
    let judgement = json!({"reason": "Plain and complete.", "score": "4"});
    json!({"professional_tone": judgement, "relevance": judgement, "safety": judgement})
}

/// A `Converse` answer.
fn said(text: &str, stop_reason: &str) -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": 100, "outputTokens": 10, "totalTokens": 110},
        "metrics": {"latencyMs": 1},
    })
}

fn refused(status: u16, error: &str, message: &str) -> Value {
    let message = format!("{message} (the sample says {MARK})");
    json!({"status": status, "headers": {"x-amzn-errortype": error}, "body": {"message": message}})
}

/// The reply for calls about the sample `name`.
fn about(name: &str, mut reply: Value) -> Value {
    reply["match"] = json!({"path": "/model/", "contains": format!("How does {name} reset")});
    reply
}

fn model_error(original: u16) -> Value {
    let mut reply = refused(424, "ModelErrorException", "the model failed");
    reply["body"]["originalStatusCode"] = json!(original);
    reply
}

async fn put(local: &Loopback, names: &[&str]) -> Value {
    let key = key(names[0]);
    let etag = local.put(&key, names.iter().map(|name| sample(name)).collect::<String>()).await.unwrap();
    notification(CAPTURES, &key, Some(&etag))
}

async fn assert_sums(local: &Loopback, expected: &[(&str, f64)]) {
    for (metric, expected) in expected {
        let sum = local.sum(metric, "gpt").await.unwrap();
        assert!((sum - expected).abs() < 1e-9, "{metric} is {sum}, not {expected}");
    }
}

/// Nothing but the `scored` samples is in a mean, not even as a zero.
async fn assert_observed(local: &Loopback, scored: f64) {
    for metric in ["CompositeQualityScore", "SafetyScore", "RelevanceScore", "ProfessionalToneScore"] {
        let observed = local.observations(metric, "gpt").await.unwrap();
        assert!((observed - scored).abs() < 1e-9, "{observed} observations of {metric}, not {scored}");
    }
}

fn assert_discreet(function: &Function) {
    let log = function.log().join("\n");
    assert!(log.contains("invocation done") && !log.contains(MARK), "{log}");
}

#[tokio::test]
async fn a_reply_that_is_no_verdict_never_becomes_a_score() {
    let changed = |change: fn(&mut Value)| {
        let mut verdict = verdict();
        change(&mut verdict);
        said(&verdict.to_string(), "end_turn")
    };
    let whole = verdict().to_string();
    let answers = [
        ("prose", said(&format!("My verdict on {MARK}: {whole}"), "end_turn"), "prose_around_json"),
        ("afterword", said(&format!("{whole} I hope this helps."), "end_turn"), "prose_around_json"),
        ("twice", said(&format!("{whole}\n{whole}"), "end_turn"), "several_values"),
        ("range", changed(|verdict| verdict["safety"]["score"] = json!("7")), "out_of_scale"),
        ("negative", changed(|verdict| verdict["safety"]["score"] = json!(-1)), "out_of_scale"),
        (
            "missing",
            changed(|verdict| drop(verdict.as_object_mut().unwrap().remove("safety"))),
            "missing_dimension",
        ),
        ("extra", changed(|verdict| verdict["overall"] = verdict["safety"].clone()), "unknown_dimension"),
        ("words", said("I'm sorry, but I can't assist with that.", "end_turn"), "not_json"),
        ("silent", said("", "end_turn"), "empty"),
        ("half", said(&whole[..40], "end_turn"), "incomplete_json"),
        ("odd", said(&whole, "napping"), "unknown_stop_reason"),
        ("broken", said(&whole, "malformed_model_output"), "reported_by_service"),
    ];
    let malformed =
        answers.map(|(name, body, detail)| (name, json!({"body": body}), "malformed", Some(detail)));
    let others = [
        ("filter", json!({"body": said(&whole, "content_filtered")}), "judge_refused", None),
        ("guardrail", json!({"body": said(&whole, "guardrail_intervened")}), "judge_refused", None),
        ("tokens", json!({"body": said(&whole[..40], "max_tokens")}), "truncated", None),
        ("window", json!({"body": said("", "model_context_window_exceeded")}), "truncated", None),
        (
            "invalid",
            refused(400, "ValidationException", "Input is too long"),
            "judge_error",
            Some("ValidationException"),
        ),
        ("model", model_error(400), "judge_error", Some("ModelErrorException")),
    ];
    let cases: Vec<_> = malformed.into_iter().chain(others).collect();
    let local = Loopback::start().await.unwrap();
    let replies: Vec<Value> = cases.iter().map(|(name, reply, ..)| about(name, reply.clone())).collect();
    local.script(json!(replies)).await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let mut names = vec!["first"];
    names.extend(cases.iter().map(|(name, ..)| *name));
    names.push("last");
    let event = put(&local, &names).await;

    let summary = function.invoke(&event, MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["objects"], json!({"judged": 1}), "{summary}");
    let outcomes =
        json!({"malformed": 12, "judge_refused": 2, "truncated": 2, "judge_error": 2, "scored": 2});
    assert_eq!(summary["outcomes"], outcomes);
    assert_eq!(summary["scores"]["gpt"]["composite"]["samples"], 2);
    let verdicts = local.verdicts().await.unwrap();
    assert_eq!(verdicts.len(), names.len());
    for (name, _, outcome, detail) in &cases {
        let verdict = verdicts.iter().find(|verdict| verdict["event_id"] == format!("event-{name}")).unwrap();
        assert_eq!((&verdict["outcome"], &verdict["detail"]), (&json!(outcome), &json!(detail)), "{name}");
        assert_eq!((&verdict["composite"], &verdict["scores"]), (&json!(null), &json!({})), "{name}");
        assert_eq!(verdict["reasons"], json!({}), "{name}");
    }
    let counts = [
        ("JudgeMalformed", 12.0),
        ("JudgeRefused", 2.0),
        ("JudgeTruncated", 2.0),
        ("JudgeErrors", 2.0),
        ("SamplesScored", 2.0),
    ];
    assert_sums(&local, &counts).await;
    assert_observed(&local, 2.0).await;
    // These endings are final: nobody pays for them twice.
    let again = function.invoke(&event, MINUTE).await.unwrap().response().unwrap();
    assert_eq!(again["objects"], json!({"duplicate": 1}));
    assert_eq!(local.judge_calls().await.unwrap(), names.len());
    assert_discreet(&function);
}

#[tokio::test]
async fn an_answer_that_is_not_even_of_the_wire_is_no_score() {
    let local = Loopback::start().await.unwrap();
    let bodies =
        [("page", "<html>quokkaword</html>"), ("nothing", ""), ("object", "{}"), ("cut", "{\"output\": {")];
    let replies = bodies.map(|(name, body)| about(name, json!({"body": body})));
    local.script(json!(replies)).await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let names = bodies.map(|(name, _)| name);

    let summary = function.invoke(&put(&local, &names).await, MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["objects"], json!({"judged": 1}), "{summary}");
    assert_eq!(summary["scores"], json!({}));
    let verdicts = local.verdicts().await.unwrap();
    assert_eq!(verdicts.len(), names.len());
    for verdict in verdicts {
        assert!(["malformed", "judge_error"].contains(&verdict["outcome"].as_str().unwrap()), "{verdict}");
        assert!(verdict["composite"].is_null() && verdict["detail"].is_string(), "{verdict}");
    }
    assert_observed(&local, 0.0).await;
    assert_discreet(&function);
}

/// Replies after which the same call may succeed, each with the outcome that counts it.
fn passing_troubles() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("throttle", refused(429, "ThrottlingException", "Too many tokens"), "throttled"),
        ("warming", refused(429, "ModelNotReadyException", "wait"), "throttled"),
        ("slowmodel", refused(408, "ModelTimeoutException", "too slow"), "timeout"),
        // Longer than the function waits.
        ("silence", json!({"delay_ms": 2500}), "timeout"),
        ("internal", refused(500, "InternalServerException", "oops"), "judge_unavailable"),
        ("down", refused(503, "ServiceUnavailableException", "down"), "judge_unavailable"),
        ("gateway", json!({"status": 502, "body": "<html>bad gateway</html>"}), "judge_unavailable"),
        ("hangup", json!({"drop_connection": true}), "judge_unavailable"),
        ("backend", model_error(503), "judge_unavailable"),
    ]
}

#[tokio::test]
async fn a_passing_trouble_is_got_over_within_the_invocation() {
    let local = Loopback::start().await.unwrap();
    let troubles = passing_troubles();
    let once = |(name, reply, _): &(&str, Value, &str)| {
        let mut reply = about(name, reply.clone());
        reply["times"] = json!(1);
        reply
    };
    local.script(json!(troubles.iter().map(once).collect::<Vec<_>>())).await.unwrap();
    let mut function = local.function(&[("JUDGE_TIMEOUT_SECONDS", "2")]).await.unwrap();
    let names: Vec<&str> = troubles.iter().map(|(name, ..)| *name).collect();

    let summary = function.invoke(&put(&local, &names).await, MINUTE).await.unwrap().response().unwrap();

    assert_eq!(summary["outcomes"], json!({"scored": names.len()}));
    assert_eq!(local.judge_calls().await.unwrap(), 2 * names.len());
    assert_observed(&local, 9.0).await;
    assert_discreet(&function);
}

#[tokio::test]
async fn a_lasting_trouble_returns_to_the_queue_and_the_rest_is_not_judged_again() {
    let local = Loopback::start().await.unwrap();
    let troubles = passing_troubles();
    let replies: Vec<Value> = troubles.iter().map(|(name, reply, _)| about(name, reply.clone())).collect();
    local.script(json!(replies)).await.unwrap();
    let mut function = local.function(&[("JUDGE_TIMEOUT_SECONDS", "2")]).await.unwrap();
    let mut names = vec!["first"];
    names.extend(troubles.iter().map(|(name, ..)| *name));
    names.push("last");
    let event = batch(&[put(&local, &names).await.to_string()]);

    let failed = function.invoke(&event, Duration::from_secs(30)).await.unwrap();

    assert_eq!(failed, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    let done = &function.entries("invocation done")[0];
    assert_eq!(done["objects"], "unresolved 1");
    assert_eq!(done["outcomes"], "judge_unavailable 5, scored 2, throttled 2, timeout 2");
    let told = &function.entries("object not judged; it is tried again");
    assert_eq!(told.len(), 1, "one message for the object, not one for each sample");
    assert!(told[0]["error"].as_str().unwrap().contains("throttled 2"), "{told:?}");
    let counts = [("JudgeThrottled", 2.0), ("JudgeTimeouts", 2.0), ("JudgeUnavailable", 5.0)];
    assert_sums(&local, &counts).await;
    assert_observed(&local, 2.0).await;
    assert_eq!(local.verdicts().await.unwrap().len(), 2);

    let asked = local.judge_requests().await.unwrap();
    let asked =
        |name| asked.iter().filter(|body| body.to_string().contains(&format!("How does {name} "))).count();
    assert_eq!((asked("down"), asked("silence")), (4, 4));
    assert!(asked("throttle") > 4, "who is throttled waits for the turn: {} tries", asked("throttle"));

    local.forget().await.unwrap();
    let finished = function.invoke(&event, MINUTE).await.unwrap();

    assert_eq!(finished, Answer::Response(json!({"batchItemFailures": []})));
    assert_eq!(local.judge_calls().await.unwrap(), troubles.len(), "only what had no verdict is asked about");
    assert_eq!(local.verdicts().await.unwrap().len(), names.len());
    assert_sums(&local, &counts).await;
    assert_sums(&local, &[("SamplesScored", 11.0), ("Records", 11.0)]).await;
    assert_observed(&local, 11.0).await;
    assert_discreet(&function);
}

#[tokio::test]
async fn a_judge_that_cannot_be_called_is_asked_once_and_told_of_once() {
    let troubles = [
        refused(403, "AccessDeniedException", "You don't have access to the model"),
        refused(404, "ResourceNotFoundException", "Could not resolve the model"),
        refused(400, "ValidationException", "The provided model identifier is invalid."),
    ];
    let local = Loopback::start().await.unwrap();
    let mut judged = 0.0;
    for (index, (mut reply, concurrency)) in troubles.into_iter().zip([1, 1, 4]).enumerate() {
        local.forget().await.unwrap();
        let class = reply["headers"]["x-amzn-errortype"].as_str().unwrap().to_owned();
        reply["match"] = json!({"path": "/model/"});
        // So slow that every call that may start has started.
        reply["delay_ms"] = json!(200);
        local.script(reply).await.unwrap();
        let settings = [("JUDGE_CONCURRENCY", concurrency.to_string())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut function = local.function(&settings).await.unwrap();
        let names: Vec<String> = (0..30).map(|sample| format!("terminal{index}n{sample}")).collect();
        let event = put(&local, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let event = batch(&[event.to_string()]);

        let failed = function.invoke(&event, MINUTE).await.unwrap();

        assert_eq!(failed, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
        let calls = local.judge_calls().await.unwrap();
        assert!((1..=concurrency).contains(&calls), "{class}: {calls} calls");
        let told = function.entries("object not judged; it is tried again");
        assert_eq!(told.len(), 1, "{told:?}");
        let error = told[0]["error"].as_str().unwrap();
        assert!(error.starts_with("the judge cannot be called:") && error.contains(&class), "{error}");

        // Somebody puts it right; the same process goes on.
        local.forget().await.unwrap();
        let finished = function.invoke(&event, MINUTE).await.unwrap();
        assert_eq!(finished, Answer::Response(json!({"batchItemFailures": []})));
        assert_eq!(local.judge_calls().await.unwrap(), 30);
        judged += 30.0;
        assert_observed(&local, judged).await;
        assert_discreet(&function);
    }
    let errors = local.sum("JudgeConfigErrors", "gpt").await.unwrap();
    assert!((3.0..=6.0).contains(&errors), "{errors}");
}

#[tokio::test]
async fn what_a_judge_that_cannot_be_called_leaves_is_checked_at_once_and_judged_later() {
    let local = Loopback::start().await.unwrap();
    let mut reply = refused(403, "AccessDeniedException", "You don't have access to the model");
    reply["match"] = json!({"path": "/model/"});
    local.script(reply).await.unwrap();
    let mut function =
        local.function(&[("SAMPLE_CAP_PER_HOUR", "5000"), ("DAILY_BUDGET_USD", "100")]).await.unwrap();
    let silent: String =
        (0..3000).map(|index| record(&format!("silent-{index}"), "gpt", "Why?", "")).collect();
    let key = key("closed");
    let object = records("early", "gpt", 150) + &silent + &records("late", "gpt", 1150);
    let etag = local.put(&key, object).await.unwrap();
    let event = batch(&[notification(CAPTURES, &key, Some(&etag)).to_string()]);

    let failed = function.invoke(&event, MINUTE).await.unwrap();

    assert_eq!(failed, Answer::Response(json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]})));
    assert_sums(&local, &[("EmptyReplies", 3000.0), ("Records", 3000.0)]).await;

    local.forget().await.unwrap();
    let finished = function.invoke(&event, MINUTE).await.unwrap();

    assert_eq!(finished, Answer::Response(json!({"batchItemFailures": []})));
    assert_sums(&local, &[("SamplesScored", 1300.0), ("Records", 4300.0)]).await;
}

#[tokio::test]
async fn a_request_form_that_the_model_refuses_is_simplified_once() {
    let local = Loopback::start().await.unwrap();
    let mut function = local.function(&[]).await.unwrap();
    let steps = [
        (
            "temperature",
            "`temperature` is deprecated for this model.",
            "output schema, no temperature, cache point",
        ),
        (
            "cachePoint",
            "This model does not support prompt caching (cachePoint).",
            "output schema, no temperature, no cache point",
        ),
        (
            "outputConfig",
            "outputConfig is not supported by this model.",
            "strict tool, no temperature, no cache point",
        ),
        ("strict", "tools.0.strict: Extra inputs are not permitted", "tool, no temperature, no cache point"),
        (
            "toolConfig",
            "This model doesn't support tool use.",
            "JSON in text, no temperature, no cache point",
        ),
    ];
    let mut last = Value::Null;
    for (index, (part, message, form)) in steps.iter().enumerate() {
        let mut reply = refused(400, "ValidationException", message);
        reply["match"] = json!({"path": "/model/", "contains": format!("\"{part}\"")});
        local.script(reply).await.unwrap();
        let before = local.judge_calls().await.unwrap();
        let event = put(&local, &[&format!("form{index}a"), &format!("form{index}b")]).await;

        let summary = function.invoke(&event, MINUTE).await.unwrap().response().unwrap();

        assert_eq!(summary["outcomes"], json!({"scored": 2}), "without {part}");
        let requests = local.judge_requests().await.unwrap();
        // Both were under way in the old form when the first refusal came.
        assert!((3..=4).contains(&(requests.len() - before)), "{} calls", requests.len() - before);
        last = requests.last().unwrap().clone();
        assert!(!last.to_string().contains(&format!("\"{part}\"")), "{part} is still in {last}");
        let told = function.entries("the judge model refused a request form; using a simpler one");
        assert_eq!(told.last().unwrap()["form"], *form);
        match *part {
            "outputConfig" => {
                assert_eq!(last["toolConfig"]["tools"][0]["toolSpec"]["strict"], true);
                assert!(last["toolConfig"]["toolChoice"]["tool"]["name"].is_string());
            }
            "strict" => assert!(last["toolConfig"]["toolChoice"]["tool"]["name"].is_string()),
            _ => {}
        }
    }
    assert!(last["system"][0]["text"].as_str().unwrap().contains("one JSON object and nothing else"));
    assert_observed(&local, 10.0).await;
    assert_discreet(&function);
}
