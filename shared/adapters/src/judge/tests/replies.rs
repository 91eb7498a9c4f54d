use super::*;

async fn answered(reply: &Value) -> Answered {
    ask(&Wire::new([Reply::json(reply)])).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_stop_reason_has_its_outcome() {
    let verdict = Ok(Content::Text("{}".to_owned()));
    let malformed = |malformed| Err(Failure::Malformed(malformed));
    let table = [
        ("end_turn", verdict.clone()),
        ("tool_use", verdict.clone()),
        ("stop_sequence", verdict),
        ("max_tokens", Err(Failure::Truncated)),
        ("model_context_window_exceeded", Err(Failure::Truncated)),
        ("content_filtered", Err(Failure::JudgeRefused)),
        ("guardrail_intervened", Err(Failure::JudgeRefused)),
        ("malformed_model_output", malformed(Malformed::ReportedByService)),
        ("malformed_tool_use", malformed(Malformed::ReportedByService)),
        ("paused_for_lunch", malformed(Malformed::UnknownStopReason)),
    ];
    for (stop_reason, content) in table {
        let answered = answered(&answer(stop_reason, &json!([{"text": "{}"}]))).await;
        assert_eq!((answered.stop_reason.as_str(), answered.content), (stop_reason, content));
        // A failed answer is paid like another.
        assert_eq!((answered.tokens.input, answered.tokens.output), (1800, 200), "{stop_reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn content_is_the_only_tool_call_or_all_text() {
    let call =
        |input: Value| json!({"toolUse": {"toolUseId": "t", "name": "record_verdict", "input": input}});
    let thought = json!({"reasoningContent": {"reasoningText": {"text": "{\"safety\": 5}"}}});
    let text = |text: &str| Ok(Content::Text(text.to_owned()));
    let input = json!({"safety": {"reason": "fine", "score": "1", "n": [-2, 0.5, 7, null, true]}});
    let table = [
        (json!([call(input.clone())]), Ok(Content::Structured(input.clone()))),
        (json!([{"text": "Here it is"}, call(input.clone())]), Ok(Content::Structured(input.clone()))),
        (json!([call(json!("text"))]), Ok(Content::Structured(json!("text")))),
        (json!([call(input.clone()), call(input)]), Err(Failure::Malformed(Malformed::SeveralValues))),
        (json!([{"text": "{\"a\""}, {"text": ": 1}"}]), text("{\"a\": 1}")),
        (json!([thought, {"text": "{}"}]), text("{}")),
        (json!([thought]), text("")),
        (json!([{"text": ""}]), text("")),
        (json!([]), text("")),
    ];
    for (blocks, content) in table {
        assert_eq!(answered(&answer("end_turn", &blocks)).await.content, content, "{blocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_message_is_empty_and_paid() {
    let mut reply = answer("end_turn", &json!([]));
    reply.as_object_mut().unwrap().remove("output");
    let answered = answered(&reply).await;
    assert_eq!(answered.content, Err(Failure::Malformed(Malformed::Empty)));
    assert_eq!(answered.tokens.input, 1800);
}

#[tokio::test(start_paused = true)]
async fn cached_tokens_are_counted_apart() {
    let mut reply = answer("end_turn", &json!([{"text": "{}"}]));
    reply["usage"] = json!({
        "inputTokens": 300, "outputTokens": 150, "totalTokens": 3750,
        "cacheReadInputTokens": 2000, "cacheWriteInputTokens": 1300,
    });
    let tokens = JudgeTokens { input: 300, output: 150, cache_read: 2000, cache_write: 1300 };
    assert_eq!(answered(&reply).await.tokens, tokens);
}

#[tokio::test(start_paused = true)]
async fn latency_is_that_of_the_call_which_answered() {
    let late = |seconds, reply| Reply::After(Duration::from_secs(seconds), Box::new(reply));
    let wire = Wire::new([late(7, invalid("`temperature` is deprecated for this model.")), late(2, good())]);
    assert_eq!(ask(&wire).await.unwrap().latency.as_secs(), 2);
}
