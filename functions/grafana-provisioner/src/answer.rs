//! What CloudFormation is answered (user guide, "Custom resource request and response reference":
//! at most 4,096 bytes).

use domain::dashboard::provision::Deployment;
use serde_json::{Value, json};

use crate::config::Config;
use crate::event::{StackRequest, Target, Task};
use crate::failure::Failure;
use crate::summary::Summary;

/// Bytes of a reason: what else is in an answer fits into the rest.
const LONGEST_REASON: usize = 2000;
/// The name of a resource that was never made.
const NEVER_MADE: &str = "not-created";

/// The answer.
pub(crate) fn answer(
    request: &StackRequest,
    config: Option<&Config>,
    outcome: &Result<Summary, Failure>,
) -> Value {
    let mut answer = json!({
        "Status": if outcome.is_ok() { "SUCCESS" } else { "FAILED" },
        "PhysicalResourceId": physical_id(request, config, outcome),
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
    });
    match outcome {
        Ok(summary) => {
            answer["Data"] = json!({"FolderUrl": summary.folder_url.as_deref().unwrap_or_default()});
        }
        Err(failure) => answer["Reason"] = reason(failure).into(),
    }
    answer
}

/// The same for the same stack and workspace. CloudFormation takes another name for another
/// resource, and has the one before removed. What failed before anything was changed keeps the name
/// that it had.
fn physical_id(
    request: &StackRequest,
    config: Option<&Config>,
    outcome: &Result<Summary, Failure>,
) -> String {
    let made = |task: &Task| {
        let Target::Workspace(workspace) = &task.target else { return None };
        let identity = task.identity.clone().or_else(|| config.map(|config| config.identity.clone()))?;
        Some(Deployment { workspace: workspace.clone(), identity }.to_string())
    };
    let is_made = !outcome.as_ref().is_err_and(|failure| !failure.has_left_traces());
    let task = request.task.as_ref().ok().and_then(Option::as_ref).filter(|_| is_made);
    let known = || request.physical_id.clone().filter(|id| !id.is_empty());
    task.and_then(made).or_else(known).unwrap_or_else(|| NEVER_MADE.to_owned())
}

/// In one line, cut to what CloudFormation takes.
pub(crate) fn reason(failure: &Failure) -> String {
    let text = failure.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut text = lines.join(" ");
    if text.len() > LONGEST_REASON {
        let end = (0..=LONGEST_REASON).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::settings::Mistakes;

    use super::*;
    use crate::event::{Event, read};

    fn request(kind: &str, physical_id: Option<&str>, workspace: &str) -> StackRequest {
        let event = json!({
            "RequestType": kind, "ResponseURL": "http://127.0.0.1:1/x", "StackId": "s".repeat(300), "RequestId": "r",
            "LogicalResourceId": "l", "PhysicalResourceId": physical_id, "ResourceProperties": {"WorkspaceId": workspace},
        });
        match read(&event) {
            Event::Stack(request) => request,
            Event::Direct(task) => panic!("{task:?}"),
        }
    }

    fn config() -> Config {
        let topic = "arn:aws:sns:eu-central-1:123456789012:t";
        Config::from_lookup(&|name| match name {
            "STACK_NAME" => Some("assay".to_owned()),
            "ALERT_TOPIC_ARN" => Some(topic.to_owned()),
            _ => None,
        })
        .unwrap()
    }

    #[test]
    fn the_name_stays_until_the_workspace_changes() {
        let id = |request: &StackRequest, config: Option<&Config>| {
            physical_id(request, config, &Ok(Summary::default()))
        };
        let known = config();
        let (one, other) = ("g-0123456789", "g-abcdef0123");
        assert_eq!(id(&request("Create", None, one), Some(&known)), "g-0123456789/assay");
        assert_eq!(
            id(&request("Update", Some("g-0123456789/assay"), one), Some(&known)),
            "g-0123456789/assay"
        );
        assert_eq!(
            id(&request("Update", Some("g-0123456789/assay"), other), Some(&known)),
            "g-abcdef0123/assay"
        );
        assert_eq!(id(&request("Delete", Some("g-0123456789/assay"), other), None), "g-0123456789/assay");
        assert_eq!(id(&request("Create", None, "nonsense"), Some(&known)), "not-created");
        assert_eq!(id(&request("Create", None, one), None), "not-created");
        assert_eq!(id(&request("Update", Some("known"), "nonsense"), Some(&known)), "known");
    }

    #[test]
    fn what_failed_before_a_change_needs_no_removal_and_what_failed_after_one_does() {
        let known = config();
        let id = |request: &StackRequest, failure| physical_id(request, Some(&known), &Err(failure));
        let create = request("Create", None, "g-0123456789");
        let missing = || Failure::NoWorkspace("g-0123456789".parse().unwrap());
        assert_eq!(id(&create, missing()), "not-created");
        assert_eq!(id(&create, Failure::OutOfTime), "g-0123456789/assay");
        let moved = request("Update", Some("g-0123456789/assay"), "g-abcdef0123");
        assert_eq!(id(&moved, missing()), "g-0123456789/assay");
        assert_eq!(id(&moved, Failure::Panicked), "g-abcdef0123/assay");
    }

    #[test]
    fn an_answer_is_short_enough_whatever_there_is_to_say() {
        let list = (0..500).map(|n| format!("variable {n}: überall falsch\n")).collect();
        let failure = Failure::Mistaken(Mistakes { source_name: "x".to_owned(), list });
        let answer = answer(&request("Create", None, "g-0123456789"), Some(&config()), &Err(failure));
        let text = answer.to_string();
        assert!(text.len() <= 4096, "{}", text.len());
        let reason = answer["Reason"].as_str().unwrap();
        assert!(reason.contains("variable 0") && reason.ends_with(" ...") && !reason.contains('\n'));
        assert_eq!(answer["Status"], "FAILED");
    }
}
