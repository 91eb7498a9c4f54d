//! Every payload shape, as the containers write it. All texts are invented.

use super::*;
use crate::capture::exchange::Role;

const CHAT: &str = r#"{"messages":[{"role":"user","content":"Hi"}]}"#;
const LMI: &str = r#"{"inputs":"Hi"}"#;
const BATCH: &str = r#"{"inputs":["a","b"]}"#;

/// Text, reasoning and finish of each answer; an error reply is `error` with its code.
fn answers(input: &str, output: &str) -> Result<Vec<String>, SkipReason> {
    let shown = |exchange: Exchange<'_>| match exchange.answer {
        Answer::Text { text, reasoning: None, finish } => format!("{text}|{finish:?}"),
        Answer::Text { text, reasoning: Some(reasoning), finish } => {
            format!("{text}|{finish:?}|{reasoning}")
        }
        Answer::Error { code: Some(code) } => format!("error {code}"),
        Answer::Error { code: None } => "error".to_owned(),
    };
    decode(input, Some(output)).map(|it| it.exchanges.into_iter().map(shown).collect())
}

fn answer(input: &str, output: &str) -> String {
    let all = answers(input, output).unwrap_or_else(|reason| panic!("{reason}: {input} {output}"));
    assert_eq!(all.len(), 1, "{input} {output}");
    all.into_iter().next().unwrap()
}

fn turns(input: &str) -> Vec<(Role, String)> {
    let conversation = decode(input, Some(r#"{"generated_text":"x"}"#)).unwrap();
    let turns = conversation.exchanges.into_iter().flat_map(|exchange| exchange.turns);
    turns.map(|turn| (turn.role, turn.text.into_owned())).collect()
}

fn usage(output: &str) -> Option<(Option<u64>, Option<u64>)> {
    let conversation = decode(CHAT, Some(output)).unwrap();
    conversation.exchanges[0].usage.map(|usage| (usage.prompt_tokens, usage.completion_tokens))
}

#[test]
fn requests_become_turns() {
    use Role::{Assistant, System, Tool, User};
    let said = |role, text: &str| (role, text.to_owned());
    assert_eq!(turns(LMI), [said(User, "Hi")]);
    assert_eq!(turns(r#"{"prompt":"Hi","model":"m"}"#), [said(User, "Hi")]);
    assert_eq!(turns(r#"{"inputs":[{"role":"user","content":"Hi"}]}"#), [said(User, "Hi")]);
    let many = r#"{"messages":[
        {"role":"developer","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"What is"},"this?",{"type":"image_url","image_url":{"url":"data:"}},{"type":"input_audio"}]},
        {"role":"assistant","content":null,"tool_calls":[{"function":{"name":"look","arguments":{"at":1}}}]},
        {"role":"tool","content":"a lamp"},
        {"role":"somebody","content":"ok"}]}"#;
    assert_eq!(
        turns(many),
        [
            said(System, "Be brief."),
            said(User, "What is\nthis?\n[image]\n[attachment]"),
            said(Assistant, r#"{"tool_call":"look","arguments":"{\"at\":1}"}"#),
            said(Tool, "a lamp"),
            said(User, "ok"),
        ]
    );
}

#[test]
fn replies_in_one_piece() {
    for (input, output, expected) in [
        (LMI, r#"{"generated_text":" Hello"}"#, " Hello|Unknown"),
        (LMI, r#"[{"generated_text":"a"},{"generated_text":"b"}]"#, "a|Unknown"),
        (LMI, r#"{"generated_text":"a","details":{"finish_reason":"eos_token"}}"#, "a|Stop"),
        (LMI, r#"{"generated_text":"a","details":{"finish reason":"length"}}"#, "a|Length"),
        (LMI, r#"{"generated_text":"a","details":"none","usage":[],"error":null}"#, "a|Unknown"),
        (LMI, r#"{"outputs":["a"]}"#, "a|Unknown"),
        (LMI, r#"["a"]"#, "a|Unknown"),
        (LMI, r#"[[{"generated_text":"a"},{"generated_text":"b"}]]"#, "a|Unknown"),
        (
            CHAT,
            r#"{"choices":[{"index":1,"message":{"content":"b"}},{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}"#,
            "a|Stop",
        ),
        (
            CHAT,
            r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"}]},"finish_reason":"content_filter"}]}"#,
            "a|Filtered",
        ),
        (CHAT, r#"{"choices":[{"message":{"content":null},"finish_reason":"length"}]}"#, "|Length"),
        (CHAT, r#"{"choices":[{"message":{"content":null,"refusal":"No."}}]}"#, "No.|Unknown"),
        (CHAT, r#"{"choices":[{"message":{"content":"a","reasoning_content":"r"}}]}"#, "a|Unknown|r"),
        (CHAT, r#"{"choices":[{"message":{"content":null,"reasoning":"r"}}]}"#, "|Unknown|r"),
        (CHAT, r#"{"choices":[{"message":{"content":"<think>r</think>\n\na"}}]}"#, "a|Unknown|r"),
        (
            CHAT,
            r#"{"choices":[{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"tool_call":"f","arguments":"{}"}|ToolCall"#,
        ),
        (r#"{"prompt":"p"}"#, r#"{"choices":[{"text":"a","finish_reason":"stop"}]}"#, "a|Stop"),
    ] {
        assert_eq!(answer(input, output), expected, "{output}");
    }
}

#[test]
fn replies_in_pieces() {
    for (output, expected) in [
        ("{\"token\":{\"text\":\"a\"}}\n{\"token\":{\"text\":\" b\"}}\n", "a b|Unknown"),
        ("{\"token\":{\"text\":\"a\"}}", "a|Unknown"),
        (
            "{\"token\":{\"text\":\"a\"},\"generated_text\":null}\n{\"token\":{\"text\":\"</s>\",\"special\":true},\"generated_text\":\"ab\",\"details\":{\"finish_reason\":\"length\"}}",
            "ab|Length",
        ),
        ("{\"token\":{\"text\":\"a\"}}\n{\"token\":{\"text\":\"</s>\",\"special\":true}}", "a|Unknown"),
        ("{\"outputs\":[\"a\"]}\n{\"outputs\":[\"b\"]}", "ab|Unknown"),
        (
            "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}\n{\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"stop\"}]}",
            "ab|Stop",
        ),
        (
            ": hello\nevent: message\r\ndata:{\"token\":{\"text\":\"a\"}}\r\n\r\ndata: {\"token\":{\"text\":\"b\"}}",
            "ab|Unknown",
        ),
        (
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"r\"}}]}\n\ndata: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"z\"}},{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n",
            "a|Stop|r",
        ),
        (
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n",
            "{\"tool_call\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}|ToolCall",
        ),
        ("data: {\"choices\":[{\"text\":\"a\"}]}\ndata: {\"choices\":[{\"text\":\"b\"}]}", "ab|Unknown"),
        // Broken off: the text so far, marked as failed; without any text an error reply.
        ("data: {\"token\":{\"text\":\"a\"}}\n\ndata: {\"error\":\"oom\",\"code\":424}", "a|Error"),
        ("data: {\"error\":{\"message\":\"oom\",\"code\":500}}\n\ndata: [DONE]", "error 500"),
    ] {
        assert_eq!(answer(LMI, output), expected, "{output}");
    }
}

#[test]
fn batches_are_matched_in_order() {
    let both = |output: &str| answers(BATCH, output);
    let expected = Ok(vec!["x|Unknown".to_owned(), "y|Unknown".to_owned()]);
    for output in [
        r#"[{"generated_text":"x"},{"generated_text":"y"}]"#,
        r#"{"outputs":["x","y"]}"#,
        r#"[[{"generated_text":"x"},{"generated_text":"x2"}],[{"generated_text":"y"}]]"#,
        "{\"outputs\":[\"x\",\"\"]}\n{\"outputs\":[\"\",\"y\"]}",
        r#"{"choices":[{"index":1,"text":"y"},{"index":0,"text":"x"}]}"#,
        r#"{"choices":[{"index":0,"text":"x"},{"index":1,"text":"x2"},{"index":2,"text":"y"},{"index":3,"text":"y2"}]}"#,
    ] {
        assert_eq!(both(output), expected, "{output}");
    }
    let failed = Ok(vec!["error 424".to_owned(), "error 424".to_owned()]);
    assert_eq!(both(r#"{"error":"oom","code":424}"#), failed);
    assert_eq!(both(r#"[{"generated_text":"x"}]"#), Err(SkipReason::BatchMismatch));
    assert_eq!(both("[]"), Err(SkipReason::BatchMismatch));
    let turns = turns(r#"{"inputs":["only"]}"#);
    assert_eq!(turns, [(Role::User, "only".to_owned())]);
}

#[test]
fn error_replies() {
    for (output, expected) in [
        (r#"{"code":424,"message":"invoke handler failure","error":"x"}"#, "error 424"),
        (r#"{"code":"400","message":"bad"}"#, "error 400"),
        (r#"{"error":"x","code":424}"#, "error 424"),
        (r#"{"error":"overloaded","error_type":"overloaded"}"#, "error"),
        (r#"{"error":{"message":"x","code":404}}"#, "error 404"),
        (r#"{"object":"error","message":"x","code":400}"#, "error 400"),
        (r#"{"ErrorCode":"CLIENT_ERROR","OriginalStatusCode":503,"Message":"x"}"#, "error 503"),
        (r#"{"generated_text":"","details":{"finish_reason":"error"}}"#, "error"),
        (r#"{"generated_text":"","error":"x","code":424}"#, "error 424"),
        (r#"[{"generated_text":"","details":{"finish reason":"error"}}]"#, "error"),
    ] {
        assert_eq!(answer(LMI, output), expected, "{output}");
    }
    assert_eq!(answer(LMI, r#"{"generated_text":"a","details":{"finish_reason":"error"}}"#), "a|Error");
}

#[test]
fn what_gives_nothing_says_why() {
    use SkipReason::{InvalidPayload, NoInput, NoOutput, NoOutputText, NotTextGeneration};
    for (input, output, reason) in [
        ("1,2,3", "0.5", NotTextGeneration),
        ("[1,2]", "[0]", NotTextGeneration),
        (r#"{"Day Mins":"2.5"}"#, "[0.0086]", NotTextGeneration),
        (r#"{"inputs":[[1,2]]}"#, "[]", NotTextGeneration),
        (r#"{"inputs":{"shape":[1]}}"#, "{}", NotTextGeneration),
        (r#"{"prompt":[1,2]}"#, "{}", NotTextGeneration),
        (r#"{"messages":[{"content":"no role"}]}"#, "{}", NotTextGeneration),
        (r#"{"messages":[]}"#, "{}", NoInput),
        (r#"{"messages":"#, "{}", InvalidPayload),
        (CHAT, "", NoOutput),
        (CHAT, "0.5", NotTextGeneration),
        (CHAT, "Service Unavailable", NotTextGeneration),
        (CHAT, r#"{"choices":[{"mess"#, InvalidPayload),
        (CHAT, "data: {\"choices\":[", InvalidPayload),
        (CHAT, "{\"token\":{\"text\":\"a\"}}\n{\"tok", InvalidPayload),
        (CHAT, r#"{"usage":{"prompt_tokens":12}}"#, NoOutputText),
        (CHAT, r#"{"choices":[]}"#, NoOutputText),
        (CHAT, "[0.0086]", NoOutputText),
        (CHAT, "[]", NoOutputText),
        (CHAT, "data: [DONE]", NoOutputText),
        (CHAT, r#"{"generated_text":1e999}"#, InvalidPayload),
    ] {
        assert_eq!(answers(input, output), Err(reason), "{input} {output}");
    }
    assert_eq!(decode(CHAT, None).unwrap_err(), NoOutput);
}

#[test]
fn a_repeated_prompt_is_taken_off() {
    let long = "Which of these lamps fits a small room?";
    let request =
        |text: &str, parameter: &str| format!(r#"{{"inputs":"{text}","parameters":{{{parameter}}}}}"#);
    let reply = |text: &str| format!(r#"{{"generated_text":"{text} The small one."}}"#);
    let asked = r#""return_full_text":true"#;
    let refused = r#""return_full_text":false"#;
    for (input, output, expected) in [
        (request(long, asked), reply(long), " The small one.|Unknown".to_owned()),
        (request(long, ""), reply(long), " The small one.|Unknown".to_owned()),
        (request("Hello", ""), reply("Hello"), "Hello The small one.|Unknown".to_owned()),
        (request("Hello", asked), reply("Hello"), " The small one.|Unknown".to_owned()),
        (request(long, refused), reply(long), format!("{long} The small one.|Unknown")),
        (request(long, asked), reply("Well,"), "Well, The small one.|Unknown".to_owned()),
    ] {
        assert_eq!(answer(&input, &output), expected, "{input}");
    }
}

#[test]
fn usage_is_what_the_reply_counts() {
    let openai = r#"{"choices":[{"text":"a"}],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    assert_eq!(usage(openai), Some((Some(7), Some(3))));
    let tgi = r#"{"generated_text":"a","details":{"generated_tokens":3,"prefill":[{"id":1},{"id":2}]}}"#;
    assert_eq!(usage(tgi), Some((Some(2), Some(3))));
    let without_prefill = r#"[{"generated_text":"a","details":{"generated_tokens":3,"prefill":[]}}]"#;
    assert_eq!(usage(without_prefill), Some((None, Some(3))), "not counted is not 0");
    assert_eq!(usage(r#"{"generated_text":"a","usage":{"prompt_tokens":-1}}"#), None);
    assert_eq!(usage(r#"{"generated_text":"a"}"#), None);
}

#[test]
fn the_request_names_the_model_before_the_reply() {
    let model = |input, output| decode(input, Some(output)).unwrap().model.map(Cow::into_owned);
    let named = r#"{"model":"asked","inputs":"a"}"#;
    let reply = r#"{"model":"answered","choices":[{"text":"a"}]}"#;
    assert_eq!(model(named, reply).as_deref(), Some("asked"));
    assert_eq!(model(LMI, reply).as_deref(), Some("answered"));
    assert_eq!(
        model(LMI, "data: {\"model\":\"answered\",\"choices\":[{\"text\":\"a\"}]}").as_deref(),
        Some("answered")
    );
    assert_eq!(model(LMI, r#"{"generated_text":"a"}"#), None);
}
