//! The alarm's event: what an alarm's Lambda action sends (`alarmData`), and EventBridge (`detail`).

use serde_json::Value;

use super::metric::Watched;
use super::notification::{Contributor, data};
use super::{Alarm, name_in};
use crate::alert::parse::member::{self, Object};

/// Reads an event of source `aws.cloudwatch` about an alarm; `None` for another.
pub(super) fn read(event: &Object) -> Option<Alarm<'_>> {
    let alarm = member::object(event, &["alarmData", "detail"])?;
    let name = member::text(alarm, &["alarmName"])?;
    let none = Object::new();
    let (state, before, configuration) = (
        member::object(alarm, &["state"]),
        member::object(alarm, &["previousState"]),
        member::object(alarm, &["configuration"]),
    );
    let in_state = |name: &str| state.and_then(|state| member::text(state, &[name])).unwrap_or_default();
    let in_before = |name: &str| before.and_then(|before| member::text(before, &[name])).unwrap_or_default();
    let in_event = |name: &str| member::text(event, &[name]).unwrap_or_default();
    let configured = |name: &str| configuration.and_then(|of| member::text(of, &[name])).unwrap_or_default();
    let reason_data = state.and_then(|state| data(state.get("reasonData")));
    let watched = Watched::of_configuration(configuration.unwrap_or(&none), in_state("reason"));
    let contributor = Contributor::read(alarm);
    let resource = member::items(event, &["resources"]).first().and_then(Value::as_str);
    Some(Alarm {
        name,
        arn: member::text(event, &["alarmArn"]).or(resource).unwrap_or_default(),
        account: member::text(event, &["accountId", "account"]).unwrap_or_default(),
        region: in_event("region"),
        description: configured("description"),
        state: in_state("value"),
        state_before: in_before("value"),
        reason: in_state("reason"),
        changed_at: if in_state("timestamp").is_empty() { in_event("time") } else { in_state("timestamp") },
        changed_before: in_before("timestamp"),
        watched,
        rule: configured("alarmRule"),
        triggered_by: reason_data.as_ref().map(triggering).unwrap_or_default(),
        suppressed_by: in_state("actionsSuppressedBy"),
        reason_data,
        contributor: contributor.id,
        contributor_attributes: contributor.attributes,
    })
}

fn triggering(reason_data: &Value) -> Vec<String> {
    let children = reason_data.as_object().map_or(&[][..], |data| member::items(data, &["triggeringAlarms"]));
    children.iter().filter_map(|child| member::text(child.as_object()?, &["arn"])).map(name_in).collect()
}
