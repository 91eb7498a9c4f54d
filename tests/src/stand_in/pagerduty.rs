//! PagerDuty's Events API v2 below `/pagerduty`. Checks each event as PagerDuty would.
//!
//! Format: PagerDuty developer documentation, "Send an alert event".

use domain::alert::message::limits::check_pagerduty;
use serde_json::{Value, json};

use super::{Call, Reply, StandIn};

/// PagerDuty.
#[derive(Debug, Default)]
pub(super) struct PagerDuty;

impl StandIn for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/pagerduty/")
    }

    fn answer(&self, call: &Call) -> Reply {
        if call.path != "/pagerduty/v2/enqueue" {
            return Reply::json(404, &json!({"status": "not found"}));
        }
        let event: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let errors: Vec<String> = check_pagerduty(&event).iter().map(ToString::to_string).collect();
        if errors.is_empty() {
            let dedup_key = event["dedup_key"].as_str().unwrap_or("stand-in");
            let said = json!({"status": "success", "message": "Event processed", "dedup_key": dedup_key});
            return Reply::json(202, &said);
        }
        let said = json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors});
        Reply::json(400, &said)
    }
}
