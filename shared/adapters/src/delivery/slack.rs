//! Slack: a bot's calls, and incoming webhooks.
//!
//! Error codes: Slack API reference, `chat.postMessage` and `chat.update`; "Sending messages using
//! incoming webhooks", section "Handling errors".

use std::time::Duration;

use serde_json::Value;

use super::answer::{Response, word};
use super::{Address, Answer, Outbound, Receipt};
use crate::Secret;

/// A call of Slack's Web API that takes a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlackCall {
    /// `chat.postMessage`, also into a thread.
    Post,
    /// `chat.update`: the body names channel id and `ts`.
    Update,
}

impl Outbound {
    /// Calls the Web API at `base` (`https://slack.com/api`) as the bot of `token`.
    pub async fn slack(&self, base: &Address, call: SlackCall, token: &Secret, body: &Value) -> Answer {
        let method = match call {
            SlackCall::Post => "chat.postMessage",
            SlackCall::Update => "chat.update",
        };
        let headers = [("authorization", format!("Bearer {}", token.reveal()))];
        match self.post(&base.join(method), &headers, body).await {
            Ok(response) => of_web_api(&response),
            Err(answer) => answer,
        }
    }

    /// Posts to an incoming webhook. Its answer names no message, so nothing can be changed later.
    pub async fn slack_webhook(&self, url: &Address, body: &Value) -> Answer {
        match self.post(url, &[], body).await {
            Ok(response) => of_webhook(&response),
            Err(answer) => answer,
        }
    }
}

/// The Web API says 200 to most failures and names them in the body.
fn of_web_api(response: &Response) -> Answer {
    if response.status != 200 {
        return response.by_status();
    }
    let Ok(body) = serde_json::from_str::<Value>(&response.body) else {
        return Answer::Transient("unreadable answer".to_owned());
    };
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    if body["ok"] == true {
        return Answer::Delivered(Receipt { channel: text("channel"), ts: text("ts") });
    }
    let code = body["error"].as_str().and_then(word).unwrap_or("unknown error").to_owned();
    match code.as_str() {
        "ratelimited" | "rate_limited" => {
            let said = body["retry_after"].as_u64().map(Duration::from_secs);
            Answer::Wait(
                said.filter(|_| response.retry_after.is_none()).unwrap_or_else(|| response.patience()),
            )
        }
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "not_allowed_token_type"
        | "access_denied" => Answer::Unauthorized(code),
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found" => {
            Answer::Gone(code)
        }
        "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_attachments"
        | "msg_blocks_too_long"
        | "msg_too_long"
        | "too_many_attachments"
        | "no_text"
        | "invalid_arguments"
        | "invalid_json"
        | "metadata_too_large" => Answer::Malformed(code),
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "unknown error" => Answer::Transient(code),
        _ => Answer::Rejected(code),
    }
}

/// A webhook says `ok`, or a status with a code as plain text.
fn of_webhook(response: &Response) -> Answer {
    let code = word(response.body.trim());
    match (response.status, code) {
        (200, Some("ok")) => Answer::Delivered(Receipt::default()),
        (429 | 500.., _) | (_, None) => response.by_status(),
        // The address is the secret: one that is not known was replaced or switched off.
        (
            _,
            Some(code @ ("no_service" | "no_service_id" | "no_team" | "invalid_token" | "team_disabled")),
        ) => Answer::Unauthorized(code.to_owned()),
        (_, Some(code @ ("invalid_blocks" | "invalid_attachments" | "invalid_payload" | "no_text"))) => {
            Answer::Malformed(code.to_owned())
        }
        (_, Some(code)) => Answer::Rejected(code.to_owned()),
    }
}
