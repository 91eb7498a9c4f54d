//! What the function is asked to do: by CloudFormation, or by somebody who invokes it.

use adapters::grafana::Address;
use adapters::secrets::SecretRef;
use adapters::stack_answer::ResponseUrl;
use domain::dashboard::Identity;
use domain::dashboard::provision::{Deployment, WorkspaceId};
use domain::names::EndpointName;
use domain::settings::Mistakes;
use domain::variables::Variables;
use serde_json::Value;

use crate::config::region_of;

/// An event.
#[derive(Debug)]
pub(crate) enum Event {
    /// CloudFormation waits for an answer.
    Stack(StackRequest),
    /// The answer goes to whoever invoked the function.
    Direct(Result<Task, Mistakes>),
}

/// A request of CloudFormation (user guide, "Custom resource request and response reference").
#[derive(Debug)]
pub(crate) struct StackRequest {
    /// Where it waits; `None` when the address is not one of its own.
    pub(crate) response_url: Option<ResponseUrl>,
    /// What an answer repeats.
    pub(crate) stack_id: Value,
    /// What an answer repeats.
    pub(crate) request_id: Value,
    /// What an answer repeats.
    pub(crate) logical_id: Value,
    /// How the resource is known; absent at its creation.
    pub(crate) physical_id: Option<String>,
    /// What is to be done; nothing for the removal of what was never made.
    pub(crate) task: Result<Option<Task>, Mistakes>,
}

/// What is to be done, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Task {
    pub(crate) action: Action,
    pub(crate) target: Target,
    /// Whose objects; the stack's without.
    pub(crate) identity: Option<Identity>,
    /// Where alerts go; the stack's topic without.
    pub(crate) topic_arn: Option<String>,
    /// Whether unified alerting may be switched on, which deletes what the old alerting had.
    pub(crate) may_enable_alerting: bool,
    /// The one endpoint that rules watch; all of them without.
    pub(crate) endpoint: Option<EndpointName>,
    /// The data source for `PromQL`; without it there is no dashboard about the engine.
    pub(crate) prometheus_uid: Option<String>,
    /// Whether to say only what would be done.
    pub(crate) is_dry_run: bool,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Have it there as it should be.
    Apply,
    /// Have nothing of it there.
    Remove,
}

/// Which Grafana.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Target {
    /// One of Amazon's.
    Workspace(WorkspaceId),
    /// One's own, and where its token is kept.
    Url(Address, SecretRef),
}

/// The fields of an event of one's own.
const FIELDS: [&str; 10] = [
    "action",
    "workspace_id",
    "url",
    "token_secret_arn",
    "name",
    "topic_arn",
    "enable_unified_alerting",
    "alert_endpoint",
    "prometheus_uid",
    "dry_run",
];

/// Reads an event. Whatever has a `ResponseURL` is CloudFormation's, and is answered.
pub(crate) fn read(event: &Value) -> Event {
    if event.get("ResponseURL").is_some() {
        Event::Stack(stack_request(event))
    } else {
        Event::Direct(direct(event))
    }
}

fn stack_request(event: &Value) -> StackRequest {
    let physical_id = event["PhysicalResourceId"].as_str().map(str::to_owned);
    StackRequest {
        response_url: event["ResponseURL"].as_str().and_then(|url| ResponseUrl::parse(url).ok()),
        stack_id: event["StackId"].clone(),
        request_id: event["RequestId"].clone(),
        logical_id: event["LogicalResourceId"].clone(),
        task: stack_task(event, physical_id.as_deref()),
        physical_id,
    }
}

fn stack_task(event: &Value, physical_id: Option<&str>) -> Result<Option<Task>, Mistakes> {
    let properties = &event["ResourceProperties"];
    let lookup = |name: &str| text(properties, name);
    let fields = Variables::new(&lookup);
    match event["RequestType"].as_str() {
        Some("Create" | "Update") => {}
        // By the name of what was made: the properties may be those of a creation that failed.
        Some("Delete") => {
            let made = physical_id.and_then(Deployment::read);
            return Ok(made.map(|made| Task {
                identity: Some(made.identity),
                ..Task::new(Action::Remove, Target::Workspace(made.workspace))
            }));
        }
        _ => fields.mistake("RequestType", "must be Create, Update or Delete"),
    }
    let workspace = fields.needed("WorkspaceId");
    let (endpoint, may_enable_alerting) =
        (fields.parsed("AlertEndpoint"), flag(&fields, "EnableUnifiedAlerting"));
    let prometheus_uid = fields.optional("PrometheusUid");
    let task = workspace.map(|workspace| Task {
        may_enable_alerting,
        endpoint,
        prometheus_uid,
        ..Task::new(Action::Apply, Target::Workspace(workspace))
    });
    finish(fields, task, "the properties of the custom resource").map(Some)
}

fn direct(event: &Value) -> Result<Task, Mistakes> {
    let lookup = |name: &str| text(event, name);
    let fields = Variables::new(&lookup);
    for name in event.as_object().into_iter().flatten().map(|(name, _)| name) {
        if !FIELDS.contains(&name.as_str()) {
            fields.mistake(name, format_args!("is not known; known are {}", FIELDS.join(", ")));
        }
    }
    let action = match fields.optional("action").as_deref() {
        None | Some("apply") => Action::Apply,
        Some("remove") => Action::Remove,
        Some(other) => {
            fields.mistake("action", format_args!("must be apply or remove, is {other:?}"));
            Action::Apply
        }
    };
    let target = target(&fields);
    let topic_arn = fields.optional("topic_arn");
    if topic_arn.as_deref().is_some_and(|arn| region_of(arn).is_none()) {
        fields.mistake("topic_arn", "must be the ARN of an SNS topic");
    }
    let (identity, endpoint) = (fields.parsed("name"), fields.parsed("alert_endpoint"));
    let may_enable_alerting = flag(&fields, "enable_unified_alerting");
    let (prometheus_uid, is_dry_run) = (fields.optional("prometheus_uid"), flag(&fields, "dry_run"));
    let task = target.map(|target| Task {
        identity,
        topic_arn,
        may_enable_alerting,
        endpoint,
        prometheus_uid,
        is_dry_run,
        ..Task::new(action, target)
    });
    finish(fields, task, "the event")
}

/// A workspace, or an address with the ARN of a token.
fn target(fields: &Variables<'_>) -> Option<Target> {
    let Some(url) = fields.optional("url") else {
        return fields.needed("workspace_id").map(Target::Workspace);
    };
    if fields.optional("workspace_id").is_some() {
        fields.mistake("url", "must not stand beside workspace_id: one is enough");
    }
    let url = Address::parse(&url).map_err(|error| fields.mistake("url", error)).ok();
    let secret = fields.needed("token_secret_arn");
    url.zip(secret).map(|(url, secret)| Target::Url(url, secret))
}

impl Task {
    fn new(action: Action, target: Target) -> Self {
        Self {
            action,
            target,
            identity: None,
            topic_arn: None,
            may_enable_alerting: false,
            endpoint: None,
            prometheus_uid: None,
            is_dry_run: false,
        }
    }
}

/// A field as text: CloudFormation writes every value as one.
fn text(fields: &Value, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn flag(fields: &Variables<'_>, name: &str) -> bool {
    fields.value(name, false, "true or false", |_| true)
}

fn finish(fields: Variables<'_>, task: Option<Task>, source_name: &str) -> Result<Task, Mistakes> {
    fields.finish(task).map_err(|mistakes| Mistakes { source_name: source_name.to_owned(), ..mistakes })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stack(event: &Value) -> StackRequest {
        match read(event) {
            Event::Stack(request) => request,
            Event::Direct(task) => panic!("{task:?}"),
        }
    }

    fn direct(event: &Value) -> Result<Task, String> {
        match read(event) {
            Event::Direct(task) => task.map_err(|mistakes| mistakes.to_string()),
            Event::Stack(request) => panic!("{request:?}"),
        }
    }

    fn request(kind: &str, physical_id: &str, properties: &Value) -> Value {
        json!({
            "RequestType": kind, "ResponseURL": "http://127.0.0.1:1/x", "StackId": "s", "RequestId": "r",
            "LogicalResourceId": "l", "PhysicalResourceId": physical_id, "ResourceProperties": properties,
        })
    }

    #[test]
    fn cloudformation_writes_every_value_as_text() {
        let properties = json!({
            "ServiceToken": "arn", "WorkspaceId": "g-0123456789", "EnableUnifiedAlerting": "true",
            "AlertEndpoint": "chat", "PrometheusUid": "", "Contents": ["x"],
        });
        let task = stack(&request("Create", "", &properties)).task.unwrap().unwrap();
        assert_eq!(task.target, Target::Workspace("g-0123456789".parse().unwrap()));
        assert!(task.action == Action::Apply && task.may_enable_alerting && !task.is_dry_run);
        assert_eq!(task.endpoint.unwrap().as_str(), "chat");
        assert_eq!(task.prometheus_uid, None);
    }

    #[test]
    fn what_is_removed_is_told_by_its_name_alone() {
        let removed = stack(&request("Delete", "g-0123456789/assay", &json!({"WorkspaceId": "nonsense"})));
        let task = removed.task.unwrap().unwrap();
        assert_eq!(task.action, Action::Remove);
        assert_eq!(task.identity.unwrap().as_str(), "assay");
        assert_eq!(stack(&request("Delete", "not-created", &json!({}))).task, Ok(None));
    }

    #[test]
    fn a_request_with_mistakes_can_still_be_answered() {
        let wrong =
            stack(&request("Replace", "p", &json!({"WorkspaceId": "x", "EnableUnifiedAlerting": "yes"})));
        assert!(wrong.response_url.is_some() && wrong.physical_id.as_deref() == Some("p"));
        let text = wrong.task.unwrap_err().to_string();
        assert!(text.contains("the properties of the custom resource has 3 mistakes"), "{text}");
        let elsewhere = stack(&json!({"ResponseURL": "https://example.com"}));
        assert!(elsewhere.response_url.is_none());
    }

    #[test]
    fn a_grafana_of_ones_own_is_named_by_address_and_secret() {
        let secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:grafana-AbCdEf";
        let task = direct(
            &json!({"url": "https://grafana.example.com", "token_secret_arn": secret, "dry_run": true}),
        );
        let task = task.unwrap();
        assert!(task.is_dry_run && matches!(task.target, Target::Url(..)));
        let task =
            direct(&json!({"workspace_id": "g-0123456789", "action": "remove", "name": "other"})).unwrap();
        assert!(task.action == Action::Remove && task.identity.is_some());
    }

    #[test]
    fn every_mistake_in_an_event_is_listed() {
        let text = direct(&json!({
            "action": "destroy", "url": "http://grafana.example.com", "workspace_id": "g-0123456789",
            "token_secret_arn": "glsa_quokka", "topic_arn": "topic", "dryrun": true, "name": "a b",
        }));
        let text = text.unwrap_err();
        for mistake in [
            "action: must be apply or remove",
            "url: must not stand beside workspace_id",
            "url: the address must start with https://",
            "token_secret_arn: must be the ARN of a secret",
            "topic_arn: must be the ARN of an SNS topic",
            "dryrun: is not known",
            "name: \"a b\" cannot name dashboards",
        ] {
            assert!(text.contains(mistake), "{mistake} is not in {text}");
        }
        assert!(!text.contains("quokka"), "{text}");
        assert!(direct(&json!({})).unwrap_err().contains("workspace_id: is not set"));
    }
}
