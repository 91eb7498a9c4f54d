//! Opsgenie's Alert API below `/opsgenie/v2/alerts`. Checks each alert as Opsgenie would and
//! remembers which are open.
//!
//! Format: Opsgenie documentation, "Alert API". Opsgenie works on requests later and says 202 to
//! all of them; here the alias is looked up at once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use domain::alert::message::limits::check_opsgenie;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::{Call, Reply, StandIn};

const ALERTS: &str = "/opsgenie/v2/alerts";

/// Opsgenie, with the aliases of open alerts.
#[derive(Debug, Default)]
pub(super) struct Opsgenie {
    open: Mutex<BTreeSet<String>>,
}

impl StandIn for Opsgenie {
    fn name(&self) -> &'static str {
        "opsgenie"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with(ALERTS)
    }

    fn answer(&self, call: &Call) -> Reply {
        let authorization = call.headers.get("authorization").and_then(|value| value.to_str().ok());
        if !authorization.is_some_and(|value| value.starts_with("GenieKey ")) {
            return Reply::json(401, &json!({"message": "Could not authenticate", "took": 0.001}));
        }
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(rest) = call.path.strip_prefix(ALERTS).filter(|rest| !rest.is_empty()) else {
            let violations = check_opsgenie(&body);
            if !violations.is_empty() {
                let errors: Map<String, Value> = violations
                    .iter()
                    .map(|violation| {
                        let field = violation.pointer.trim_start_matches('/').split('/').next();
                        (field.unwrap_or_default().to_owned(), json!(violation.to_string()))
                    })
                    .collect();
                return Reply::json(
                    422,
                    &json!({"message": "Request body is not processable", "errors": errors}),
                );
            }
            open.insert(body["alias"].as_str().unwrap_or_default().to_owned());
            return accepted();
        };
        let mut parts = rest.trim_start_matches('/').split('/');
        let alias = percent_decode_str(parts.next().unwrap_or_default()).decode_utf8_lossy();
        let is_open = match parts.next() {
            Some("close") => open.remove(alias.as_ref()),
            Some("notes") => open.contains(alias.as_ref()),
            _ => false,
        };
        if is_open && call.query == "identifierType=alias" {
            return accepted();
        }
        Reply::json(404, &json!({"message": "Alert does not exist"}))
    }
}

fn accepted() -> Reply {
    Reply::json(202, &json!({"result": "Request will be processed", "took": 0.1, "requestId": "stand-in"}))
}
