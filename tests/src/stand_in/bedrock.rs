//! The Converse call of Amazon Bedrock Runtime: `POST /model/{id}/converse`, plain JSON.
//!
//! Format: Bedrock API reference, "Converse". The model behind it is the plain scorer of
//! [`super::judge`].

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Call, Reply, StandIn, judge};

/// How it is named in `/_requests` and `/_stats`.
pub(super) const NAME: &str = "bedrock";

/// Bedrock Runtime.
#[derive(Debug)]
pub struct Bedrock {
    judge_delay: Duration,
}

impl Bedrock {
    /// With a judge that takes `judge_delay` for every answer.
    pub fn new(judge_delay: Duration) -> Self {
        Self { judge_delay }
    }
}

impl StandIn for Bedrock {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/model/") && call.path.ends_with("/converse")
    }

    fn answer(&self, call: &Call) -> Reply {
        let mut reply = match converse(call, self.judge_delay) {
            Ok(body) => Reply::json(200, &body),
            Err(problem) => validation_error(&problem),
        };
        reply.delay = self.judge_delay;
        reply
    }
}

/// Where the request wants its structured answer.
enum Form {
    /// `outputConfig`, or a form that the system text describes: JSON in a text block.
    Text(Value),
    /// `toolConfig`: the input of the one tool, by name.
    Tool(String, Value),
    /// Neither: prose, as a model would answer.
    Prose,
}

fn converse(call: &Call, delay: Duration) -> Result<Value, String> {
    let request: Value = serde_json::from_str(&call.body).map_err(|_| "the body is not JSON".to_owned())?;
    let model = call.path.trim_start_matches("/model/").trim_end_matches("/converse");
    if percent_decode_str(model).decode_utf8().map_or(true, |id| id.trim().is_empty()) {
        return Err("the model id is not valid".to_owned());
    }
    let question = text_of(request.pointer("/messages").and_then(Value::as_array));
    if question.trim().is_empty() {
        return Err("messages must hold at least one text block".to_owned());
    }
    let system = texts(request.get("system"));
    let sample = judge::Sample::in_message(&question);
    let (content, stop_reason) = match form(&request, &system)? {
        Form::Text(schema) => (json!({"text": judge::answer(&schema, &sample).to_string()}), "end_turn"),
        Form::Tool(name, schema) => {
            let input = judge::answer(&schema, &sample);
            (json!({"toolUse": {"toolUseId": "tooluse_stand_in", "name": name, "input": input}}), "tool_use")
        }
        Form::Prose => (json!({"text": format!("{} no schema was asked for.", judge::NAME)}), "end_turn"),
    };
    let input_tokens = tokens(&system) + tokens(&question);
    let output_tokens = tokens(&content.to_string());
    Ok(json!({
        "output": {"message": {"role": "assistant", "content": [content]}},
        "stopReason": stop_reason,
        "usage": {
            "inputTokens": input_tokens,
            "outputTokens": output_tokens,
            "totalTokens": input_tokens + output_tokens,
        },
        "metrics": {"latencyMs": u64::try_from(delay.as_millis()).unwrap_or(u64::MAX).max(1)},
    }))
}

fn form(request: &Value, system: &str) -> Result<Form, String> {
    if let Some(schema) = request.pointer("/outputConfig/textFormat/structure/jsonSchema/schema") {
        let text = schema.as_str().ok_or("jsonSchema.schema must be a string")?;
        let schema = serde_json::from_str(text).map_err(|_| "jsonSchema.schema is not JSON")?;
        return Ok(Form::Text(schema));
    }
    let Some(tool) = request.pointer("/toolConfig/tools/0/toolSpec") else {
        return Ok(judge::schema_in_words(system).map_or(Form::Prose, Form::Text));
    };
    let name = tool.get("name").and_then(Value::as_str).ok_or("a tool must have a name")?;
    let schema = tool.pointer("/inputSchema/json").ok_or("a tool must have inputSchema.json")?;
    Ok(Form::Tool(name.to_owned(), schema.clone()))
}

fn text_of(messages: Option<&Vec<Value>>) -> String {
    let messages = messages.map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<String> = messages.iter().map(|message| texts(message.get("content"))).collect();
    texts.join("\n")
}

/// The texts of a list of content blocks; cache points and images have none.
fn texts(blocks: Option<&Value>) -> String {
    let blocks = blocks.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> =
        blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str)).collect();
    texts.join("\n")
}

/// About what a tokenizer would count.
fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

fn validation_error(message: &str) -> Reply {
    let mut reply = Reply::json(400, &json!({"message": message}));
    reply.headers.push(("x-amzn-errortype".to_owned(), "ValidationException".to_owned()));
    reply
}
