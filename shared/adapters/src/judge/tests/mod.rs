use domain::verdict::ErrorClass;
use serde_json::{Value, json};

use super::*;
use crate::wire::{Reply, SECRET, Wire};

mod failures;
mod forms;
mod replies;

/// `score` comes first in one place, so that a test sees an order that nobody sorts.
const SCHEMA: &str = r#"{"type":"object","properties":{"safety":{"properties":{"zeal":{"type":"string"},"reason":{"type":"string"},"score":{"enum":["0","1"],"type":"string"}},"required":["zeal","reason","score"],"type":"object","additionalProperties":false}},"required":["safety"],"additionalProperties":false}"#;

fn brief() -> Brief {
    Brief {
        system: "You are a judge.".to_owned(),
        schema: SCHEMA.to_owned(),
        instruction: "Answer with JSON only.".to_owned(),
        max_tokens: 500,
    }
}

fn judge(wire: &Wire) -> BedrockJudge {
    BedrockJudge::new(&wire.config(), "eu.anthropic.claude-sonnet-4-6")
}

async fn ask(wire: &Wire) -> Result<Answered, Unanswered> {
    judge(wire).ask(&brief(), "the sample").await
}

/// A complete answer with these content blocks.
fn answer(stop_reason: &str, content: &Value) -> Value {
    json!({
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": stop_reason,
        "usage": {"inputTokens": 1800, "outputTokens": 200, "totalTokens": 2000},
        "metrics": {"latencyMs": 5},
    })
}

fn good() -> Reply {
    Reply::json(&answer("end_turn", &json!([{"text": "{}"}])))
}

/// A validation error with Bedrock's words.
fn invalid(message: &str) -> Reply {
    Reply::json_error(400, "ValidationException", message)
}

fn class(name: &str) -> ErrorClass {
    ErrorClass::of(name)
}
