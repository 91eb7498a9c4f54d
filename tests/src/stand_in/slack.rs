//! Slack: `chat.postMessage` and `chat.update` below `/slack/api`, incoming webhooks below
//! `/slack/services`. Checks each message as Slack would and remembers which exist.
//!
//! Formats: Slack API reference. A token is good when it starts with `xoxb-`.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use domain::alert::message::limits::{check_slack, slack_error};
use serde_json::{Value, json};

use super::{Call, Reply, StandIn};

/// Slack, with what was posted.
#[derive(Debug, Default)]
pub(super) struct Slack {
    /// Channel id and `ts` of each message.
    posted: Mutex<BTreeSet<(String, String)>>,
}

impl StandIn for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/slack/")
    }

    fn answer(&self, call: &Call) -> Reply {
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        if call.path.starts_with("/slack/services/") {
            return match problem(&body) {
                None => plain(200, "ok"),
                Some(error) => plain(400, error),
            };
        }
        let said = match self.web_api(call, &body) {
            Ok((channel, ts)) => json!({"ok": true, "channel": channel, "ts": ts}),
            Err(error) => json!({"ok": false, "error": error}),
        };
        Reply::json(200, &said)
    }
}

impl Slack {
    fn web_api(&self, call: &Call, body: &Value) -> Result<(String, String), &'static str> {
        let authorization = call.headers.get("authorization").and_then(|value| value.to_str().ok());
        match authorization {
            None => return Err("not_authed"),
            Some(value) if !value.starts_with("Bearer xoxb-") => return Err("invalid_auth"),
            Some(_) => {}
        }
        if !body.is_object() {
            return Err("invalid_json");
        }
        let channel = body["channel"].as_str().filter(|name| !name.is_empty()).ok_or("channel_not_found")?;
        if let Some(error) = problem(body) {
            return Err(error);
        }
        let mut posted = self.posted.lock().unwrap_or_else(PoisonError::into_inner);
        match call.path.as_str() {
            "/slack/api/chat.postMessage" => {
                let ts = format!("1764000000.{:06}", posted.len() + 1);
                let message = (id(channel), ts);
                posted.insert(message.clone());
                Ok(message)
            }
            "/slack/api/chat.update" => {
                let ts = body["ts"].as_str().unwrap_or_default();
                let message = (channel.to_owned(), ts.to_owned());
                // Slack takes a channel's id here, never its name.
                if posted.contains(&message) { Ok(message) } else { Err("message_not_found") }
            }
            _ => Err("unknown_method"),
        }
    }
}

fn problem(body: &Value) -> Option<&'static str> {
    slack_error(&check_slack(body))
}

/// A channel's id, which is what Slack answers when it is asked by name.
fn id(channel: &str) -> String {
    let is_id = channel.starts_with('C') && channel.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id {
        return channel.to_owned();
    }
    let letters = channel.chars().filter(char::is_ascii_alphanumeric);
    format!("C{}", letters.collect::<String>().to_uppercase())
}

fn plain(status: u16, text: &str) -> Reply {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Reply { body: text.to_owned(), headers, ..Reply::json(status, &Value::Null) }
}
