use std::sync::Arc;

use super::*;

const NO_TEMPERATURE: &str = "`temperature` is deprecated for this model.";
/// As cited in public issue threads.
const NO_OUTPUT_CONFIG: &str =
    "The model returned the following errors: output_config.format: Extra inputs are not permitted";
const NO_STRICT: &str = "tools.0.custom.strict: Extra inputs are not permitted";
const NO_CHOICE: &str =
    "This model doesn't support the toolConfig.toolChoice.tool field. Remove it and try again.";
const NO_CACHE: &str = "You invoked an unsupported model or your request did not allow prompt caching.";

#[tokio::test(start_paused = true)]
async fn the_request_in_each_of_its_forms() {
    let wire = Wire::new([invalid(NO_OUTPUT_CONFIG), invalid(NO_STRICT), invalid(NO_CHOICE), good()]);
    assert!(ask(&wire).await.is_ok());
    let sent = wire.sent();
    let names = ["output_schema", "strict_tool", "tool", "text"];
    assert_eq!(sent.len(), names.len());
    for (request, name) in sent.iter().zip(names) {
        assert_eq!(
            (request.method.as_str(), request.uri.as_str()),
            (
                "POST",
                "https://bedrock-runtime.eu-central-1.amazonaws.com/model/eu.anthropic.claude-sonnet-4-6/converse"
            )
        );
        assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()));
        insta::assert_snapshot!(name, request.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_schema_goes_out_byte_for_byte_whatever_the_form() {
    let wire = Wire::new([invalid(NO_OUTPUT_CONFIG), good(), invalid(NO_STRICT), good()]);
    let judge = judge(&wire);
    for _ in 0..8 {
        judge.ask(&brief(), r#""json":"assay-verdict-schema""#).await.unwrap();
    }
    // Read as text: a parser would hide the order of the keys, which is the order that the model
    // fills them in.
    for request in &wire.sent()[1..] {
        assert!(
            request.text().contains(&format!(r#""inputSchema":{{"json":{SCHEMA}}}"#)),
            "{}",
            request.text()
        );
        assert!(request.text().contains(r#"{"text":"\"json\":\"assay-verdict-schema\""}"#));
    }
}

fn shape(request: &crate::wire::Sent) -> (bool, bool, &'static str) {
    let body = request.json();
    let tool = &body["toolConfig"]["tools"][0]["toolSpec"];
    let shape = match (body["outputConfig"].is_object(), &tool["strict"], tool.is_object()) {
        (true, _, false) => "output schema",
        (false, Value::Bool(true), true) => "strict tool",
        (false, Value::Null, true) => "tool",
        (false, _, false) => "text",
        _ => "two at once",
    };
    (body["inferenceConfig"]["temperature"].is_number(), body["system"][1]["cachePoint"].is_object(), shape)
}

#[tokio::test(start_paused = true)]
async fn only_the_part_that_was_refused_is_taken_away_and_for_good() {
    let refused_cache = [
        invalid("cachePoint is not supported for this model"),
        // Bedrock spells a missing prompt cache as missing access.
        Reply::json_error(403, "AccessDeniedException", NO_CACHE),
    ];
    let table = [
        (invalid(NO_TEMPERATURE), (false, true, "output schema")),
        (refused_cache[0].clone(), (true, false, "output schema")),
        (refused_cache[1].clone(), (true, false, "output schema")),
        (invalid(NO_OUTPUT_CONFIG), (true, true, "strict tool")),
        (invalid("This model doesn't support the outputConfig field."), (true, true, "strict tool")),
        (invalid("The schema uses an unsupported keyword."), (true, true, "strict tool")),
    ];
    for (refusal, form) in table {
        let wire = Wire::new([refusal, good()]);
        let judge = judge(&wire);
        judge.ask(&brief(), "one").await.unwrap();
        judge.ask(&brief(), "two").await.unwrap();
        let sent = wire.sent();
        assert_eq!(sent.len(), 3, "the second call knows the form");
        assert_eq!(shape(&sent[0]), (true, true, "output schema"));
        assert_eq!([shape(&sent[1]), shape(&sent[2])], [form, form]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_names_no_part_or_comes_again_ends_the_call() {
    let wire = Wire::new([invalid("Input is too long for requested model.")]);
    assert_eq!(ask(&wire).await.unwrap_err().failure, Failure::JudgeError(class("ValidationException")));
    assert_eq!(wire.sent().len(), 1);

    let wire = Wire::new([invalid(NO_TEMPERATURE)]);
    assert_eq!(ask(&wire).await.unwrap_err().failure, Failure::JudgeError(class("ValidationException")));
    assert_eq!(wire.sent().len(), 2);

    // Whatever a service says, there is an end.
    let wire = Wire::new([invalid("temperature, cachePoint, outputConfig, strict, tool and schema")]);
    assert!(ask(&wire).await.is_err());
    assert_eq!(wire.sent().len(), 6);

    let wire = Wire::new([Reply::json_error(403, "AccessDeniedException", NO_CACHE)]);
    let unanswered = ask(&wire).await.unwrap_err();
    assert_eq!(unanswered.failure, Failure::ConfigError(class("AccessDeniedException")));
    assert_eq!(wire.sent().len(), 2);
}

/// Asks this often at once and answers the forms of all requests.
async fn ask_at_once(calls: usize, replies: Vec<Reply>) -> Vec<(bool, bool, &'static str)> {
    let wire = Wire::new(replies);
    let judge = Arc::new(judge(&wire));
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let judge = Arc::clone(&judge);
            tokio::spawn(async move { judge.ask(&brief(), "x").await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    wire.sent().iter().map(shape).collect()
}

fn late(refusal: Reply) -> Reply {
    Reply::After(Duration::from_secs(1), Box::new(refusal))
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_take_a_part_away_once() {
    let mut replies = vec![late(invalid(NO_OUTPUT_CONFIG)); 3];
    replies.push(good());
    let first = (true, true, "output schema");
    let then = (true, true, "strict tool");
    assert_eq!(ask_at_once(3, replies).await, [first, first, first, then, then, then]);
}

#[tokio::test(start_paused = true)]
async fn concurrent_refusals_of_two_parts_do_not_undo_each_other() {
    let replies = vec![
        late(invalid(NO_TEMPERATURE)),
        late(invalid(NO_CACHE)),
        late(good()),
        late(invalid(NO_CACHE)),
        good(),
    ];
    let first = (true, true, "output schema");
    let second = (false, true, "output schema");
    let last = (false, false, "output schema");
    assert_eq!(ask_at_once(2, replies).await, [first, first, second, second, last]);
}
