//! The alarm's notification on SNS.

use std::collections::BTreeMap;

use serde_json::Value;

use super::metric::Watched;
use super::{Alarm, name_in};
use crate::alert::parse::member::{self, Object};

/// Reads an object with `AlarmName`; `None` for another.
pub(super) fn read(object: &Object) -> Option<Alarm<'_>> {
    let text = |name: &str| member::text(object, &[name]).unwrap_or_default();
    let name = text("AlarmName");
    if name.is_empty() {
        return None;
    }
    let contributor = Contributor::read(object);
    let children = member::items(object, &["TriggeringChildren"]).iter().filter_map(Value::as_object);
    // Other senders imitate the message and leave `Trigger` out.
    let trigger = member::object(object, &["Trigger"]).unwrap_or(object);
    Some(Alarm {
        name,
        arn: text("AlarmArn"),
        account: text("AWSAccountId"),
        region: "",
        description: text("AlarmDescription"),
        state: text("NewStateValue"),
        state_before: text("OldStateValue"),
        reason: text("NewStateReason"),
        reason_data: data(object.get("NewStateReasonData")),
        changed_at: text("StateChangeTime"),
        changed_before: "",
        watched: Watched::of_trigger(trigger),
        rule: text("AlarmRule"),
        triggered_by: children.filter_map(|child| member::text(child, &["Arn"])).map(name_in).collect(),
        suppressed_by: text("ActionsSuppressedBy"),
        contributor: contributor.id,
        contributor_attributes: contributor.attributes,
    })
}

/// Data that come as JSON in a text, or as they are.
pub(super) fn data(value: Option<&Value>) -> Option<Value> {
    match value? {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    }
}

/// The series that an alarm of many is about.
#[derive(Debug, Default)]
pub(super) struct Contributor {
    pub(super) id: String,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Contributor {
    /// The names are those of `CloudWatch`'s `DescribeAlarmContributors`; the body of the message
    /// itself was never published. A contributor without an id is known by its attributes.
    pub(super) fn read(object: &Object) -> Self {
        let own =
            member::object(object, &["AlarmContributor", "alarmContributor", "Contributor", "contributor"]);
        let within = own.unwrap_or(object);
        let ids = ["AlarmContributorId", "ContributorId", "alarmContributorId", "contributorId"];
        let id = member::text(within, &ids).or_else(|| member::text(own?, &["id", "Id"]));
        let places = [
            "AlarmContributorAttributes",
            "ContributorAttributes",
            "alarmContributorAttributes",
            "contributorAttributes",
        ];
        let attributes =
            member::object(within, &places).or_else(|| member::object(own?, &["attributes", "Attributes"]));
        let attributes = attributes.map(member::texts).unwrap_or_default();
        let id = id.map_or_else(
            || attributes.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
            str::to_owned,
        );
        Self { id, attributes }
    }
}
