//! What makes two messages speak of the same alert.
//!
//! | sender | identity |
//! |---|---|
//! | Grafana, in any form | region and account of the topic; Grafana's host, organisation, rule uid; labels |
//! | Alertmanager, Managed Prometheus | region and account of the topic; labels |
//! | `CloudWatch` | region, account and name of the alarm; contributor |
//! | others | region and account of the topic; title and text |
//!
//! Neither start nor value nor annotation is part of it. Grafana's text and JSON have the same: its
//! text repeats labels, organisation and rule uid in the silence address. Where a text has no such
//! address (external URL not configured) and a label's value has several lines that look like
//! Grafana's layout, the two differ.

use std::collections::BTreeMap;

use super::told::{Told, blindness};
use super::{Context, link};
use crate::alert::{AlertKey, Family};

/// Labels of a `DatasourceNoData` or `DatasourceError` alert that say which query failed, and may
/// change while the rule stays blind.
const QUERY_LABELS: [&str; 2] = ["datasource_uid", "ref_id"];

const RULE_UID: &str = "__alert_rule_uid__";

/// The key of an alert that labels identify.
pub(super) fn of_labels(told: &Told<'_>, family: Family, context: Context<'_>) -> AlertKey {
    let is_query_label = |name: &str| QUERY_LABELS.contains(&name);
    let is_blind = told.labels.get("alertname").is_some_and(|name| blindness(name).is_some());
    let labels: Vec<&str> = told
        .labels
        .iter()
        .filter(|(name, _)| !(link::is_hidden(name) || is_blind && is_query_label(name)))
        .flat_map(|(name, value)| [name.as_str(), value.as_str()])
        .collect();
    if family == Family::Alertmanager {
        // Replicas have different hosts, and so different links.
        return AlertKey::of(["alertmanager", context.account, context.region].into_iter().chain(labels));
    }
    let silence = link::silence(told.silence);
    let host = link::host(told.silence).or_else(|| link::host(told.source)).unwrap_or_default();
    let org = silence.org.or_else(|| link::org(told.source)).unwrap_or_else(|| told.org.clone());
    let uid = silence
        .rule_uid
        .or_else(|| Some(told.rule_uid.to_owned()).filter(|uid| !uid.is_empty()))
        .or_else(|| told.labels.get(RULE_UID).cloned())
        .or_else(|| link::rule_uid(told.source))
        .unwrap_or_default();
    let scope = ["grafana", context.account, context.region, host, &org, &uid];
    AlertKey::of(scope.into_iter().chain(labels))
}

/// The key of a Grafana alert of which only the title is known.
pub(super) fn of_title(title: &str, tags: &BTreeMap<String, String>, context: Context<'_>) -> AlertKey {
    let tags = tags.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    AlertKey::of(["grafana title", context.account, context.region, title].into_iter().chain(tags))
}

/// The key of a `CloudWatch` alarm.
pub(super) fn of_alarm(region: &str, account: &str, name: &str, contributor: &str) -> AlertKey {
    AlertKey::of(["cloudwatch", account, region, name, contributor])
}

/// The key of a message that nobody knows.
pub(super) fn of_text(title: &str, text: &str, context: Context<'_>) -> AlertKey {
    AlertKey::of(["unknown", context.account, context.region, title, text])
}
