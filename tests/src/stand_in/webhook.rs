//! Anybody's webhook, below `/webhook`: takes every JSON object.

use serde_json::{Value, json};

use super::{Call, Reply, StandIn};

/// A webhook.
#[derive(Debug, Default)]
pub(super) struct Webhook;

impl StandIn for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/webhook")
    }

    fn answer(&self, call: &Call) -> Reply {
        match serde_json::from_str(&call.body) {
            Ok(Value::Object(_)) => Reply::json(200, &json!({"ok": true})),
            _ => Reply::json(400, &json!({"ok": false})),
        }
    }
}
