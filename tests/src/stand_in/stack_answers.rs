//! Where CloudFormation waits for the answer of a custom resource: takes whatever is put below
//! `/stack-answers/` and looks like an answer.

use serde_json::{Value, json};

use super::{Call, Reply, StandIn};

/// The longest answer, in bytes (CloudFormation user guide).
const LONGEST: usize = 4096;

/// The address of CloudFormation.
#[derive(Debug)]
pub(super) struct StackAnswers;

impl StandIn for StackAnswers {
    fn name(&self) -> &'static str {
        "stack-answers"
    }

    fn wants(&self, call: &Call) -> bool {
        call.path.starts_with("/stack-answers/")
    }

    fn answer(&self, call: &Call) -> Reply {
        let has_type = call.headers.get("content-type").is_some_and(|value| !value.is_empty());
        let body: Value = serde_json::from_str(&call.body).unwrap_or_default();
        let is_whole = ["Status", "PhysicalResourceId", "StackId", "RequestId", "LogicalResourceId"]
            .iter()
            .all(|field| body[field].as_str().is_some_and(|text| !text.is_empty()));
        if call.method != "PUT" || has_type || !is_whole || call.body.len() > LONGEST {
            return Reply::json(403, &json!({"message": "SignatureDoesNotMatch, or no answer"}));
        }
        Reply { body: String::new(), ..Reply::json(200, &Value::Null) }
    }
}
