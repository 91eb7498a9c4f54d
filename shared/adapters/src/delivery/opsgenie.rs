//! Opsgenie's Alert API and its successor in Jira Service Management, which differ in their address
//! only: `https://api.opsgenie.com/v2/alerts`, `https://api.eu.opsgenie.com/v2/alerts`,
//! `https://api.atlassian.com/jsm/ops/integration/v2/alerts`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::answer::{Response, word};
use super::{Address, Answer, Outbound, Receipt};
use crate::Secret;

/// A call of the Alert API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpsgenieCall<'a> {
    /// Creates an alert, or counts up the open one of the same alias.
    Create,
    /// Closes the alert of this alias.
    Close {
        /// What it was created with.
        alias: &'a str,
    },
    /// Adds a note to the alert of this alias.
    Note {
        /// What it was created with.
        alias: &'a str,
    },
}

impl Outbound {
    /// Calls the Alert API at `alerts`, where alerts are created, with an integration's key.
    pub async fn opsgenie(
        &self,
        alerts: &Address,
        call: OpsgenieCall<'_>,
        key: &Secret,
        body: &Value,
    ) -> Answer {
        let to = match call {
            OpsgenieCall::Create => alerts.clone(),
            OpsgenieCall::Close { alias } => of_alias(alerts, alias, "close"),
            OpsgenieCall::Note { alias } => of_alias(alerts, alias, "notes"),
        };
        let headers = [("authorization", format!("GenieKey {}", key.reveal()))];
        match self.post(&to, &headers, body).await {
            Ok(response) => of_alert(call, &response),
            Err(answer) => answer,
        }
    }
}

fn of_alias(alerts: &Address, alias: &str, what: &str) -> Address {
    let alias = utf8_percent_encode(alias, NON_ALPHANUMERIC);
    alerts.join(&format!("{alias}/{what}?identifierType=alias"))
}

fn of_alert(call: OpsgenieCall<'_>, response: &Response) -> Answer {
    match (call, response.status) {
        // Closed by hand, or never opened: nobody has anything left to do.
        (OpsgenieCall::Close { .. } | OpsgenieCall::Note { .. }, 404) => {
            Answer::Delivered(Receipt::default())
        }
        (_, 422) => {
            let body: Value = serde_json::from_str(&response.body).unwrap_or_default();
            let fields = body["errors"].as_object().into_iter().flatten();
            let fields: Vec<&str> = fields.filter_map(|(field, _)| word(field)).take(10).collect();
            let named = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
            Answer::Malformed(format!("HTTP 422{named}"))
        }
        _ => response.by_status(),
    }
}
