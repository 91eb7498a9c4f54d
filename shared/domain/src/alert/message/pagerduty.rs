//! Events for `PagerDuty`'s Events API v2 (developer.pagerduty.com, Events API v2): trigger and resolve.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::limits::{of_pagerduty, shorten};
use super::wording::{
    Item, annotations, cost, described, headline_within, labels, links, not_included, now, occasion, related,
    rule, sentence, since_in_utc, why, worst,
};
use crate::alert::notice::Notice;
use crate::alert::{AlertKey, Severity};

/// An integration's key: whoever has it can page. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoutingKey(String);

/// The text is no routing key. It does not carry the text, which is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a PagerDuty routing key: 32 letters and digits, from an Events API v2 integration")]
pub struct NotARoutingKey;

impl TryFrom<String> for RoutingKey {
    type Error = NotARoutingKey;

    fn try_from(text: String) -> Result<Self, NotARoutingKey> {
        let is_key =
            text.len() == of_pagerduty::ROUTING_KEY && text.bytes().all(|it| it.is_ascii_alphanumeric());
        if is_key { Ok(Self(text)) } else { Err(NotARoutingKey) }
    }
}

impl fmt::Debug for RoutingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoutingKey(redacted)")
    }
}

/// The body of `POST /v2/enqueue`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PagerDutyEvent {
    /// Which integration.
    pub routing_key: RoutingKey,
    /// What to do.
    pub event_action: Action,
    /// Which incident: the same for trigger and resolve.
    pub dedup_key: String,
    /// What is wrong; only to trigger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Where to look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'static str>,
    /// Where the sender shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_url: Option<String>,
}

/// What an event does. Acknowledging is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Opens an incident, or adds to the open one of the same key.
    Trigger,
    /// Closes it.
    Resolve,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    /// The first line.
    pub summary: String,
    /// What is affected.
    pub source: String,
    /// Always one that `PagerDuty` knows.
    pub severity: Severity,
    /// Since when.
    pub timestamp: Timestamp,
    /// The inference component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rule.
    pub class: String,
    /// Everything else.
    pub custom_details: Details,
}

/// An address with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The address.
    pub href: String,
    /// What it is.
    pub text: &'static str,
}

/// What an incident shows below its summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// What is wrong, in a sentence.
    pub what: String,
    /// What is new about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The rule author's own words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub description: Vec<String>,
    /// Since when.
    pub since: String,
    /// Why it is called so bad.
    pub why: String,
    /// What it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<String>,
    /// Metrics now, with the last hour.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub now: BTreeMap<String, String>,
    /// What the judge said of the worst answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub worst_answers: Vec<String>,
    /// Alerts joined with this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_alerts: Vec<String>,
    /// What could not be looked up, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub not_included: BTreeMap<String, String>,
    /// Annotations that are not said above.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What was left out because the event would have been too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// Opens the incident `incident`, or adds to it. An alert that was joined with an earlier one is sent
/// with the key of that one.
pub fn trigger(notice: &Notice, incident: &AlertKey, routing_key: RoutingKey) -> PagerDutyEvent {
    let component = notice.component.as_ref().map(ToString::to_string);
    let group = notice.endpoint.as_ref().map(ToString::to_string);
    let source = component.clone().or_else(|| group.clone()).unwrap_or_else(|| rule(notice));
    let payload = Payload {
        summary: headline_within(notice, of_pagerduty::SUMMARY),
        source: shorten(&source, 255).into_owned(),
        severity: notice.classification.severity,
        timestamp: notice.firing_since.unwrap_or(notice.as_of),
        component,
        group,
        class: shorten(&rule(notice), 255).into_owned(),
        custom_details: details(notice),
    };
    let links: Vec<Link> =
        links(notice).into_iter().map(|(text, href)| Link { href: href.to_owned(), text }).collect();
    let client_url = links.iter().find(|link| link.text == "Rule").map(|link| link.href.clone());
    let event = PagerDutyEvent {
        routing_key,
        event_action: Action::Trigger,
        dedup_key: dedup_key(incident),
        payload: Some(payload),
        links,
        client: Some("Assay"),
        client_url,
    };
    within_size(event)
}

/// Closes the incident. The routing key must be the one that opened it, else `PagerDuty` drops the event.
pub fn resolve(incident: &AlertKey, routing_key: RoutingKey) -> PagerDutyEvent {
    PagerDutyEvent {
        routing_key,
        event_action: Action::Resolve,
        dedup_key: dedup_key(incident),
        payload: None,
        links: Vec::new(),
        client: None,
        client_url: None,
    }
}

fn dedup_key(incident: &AlertKey) -> String {
    shorten(incident.as_str(), of_pagerduty::DEDUP_KEY).into_owned()
}

fn details(notice: &Notice) -> Details {
    let by_name = |items: Vec<Item>| items.into_iter().map(|Item { name, text }| (name, text)).collect();
    let lines = |items: Vec<Item>| {
        let line = |Item { name, text }: Item| if text.is_empty() { name } else { format!("{name}: {text}") };
        items.into_iter().map(line).collect()
    };
    Details {
        what: sentence(notice),
        change: occasion(notice),
        description: described(notice).iter().map(|text| shorten(text, 20_000).into_owned()).collect(),
        since: since_in_utc(notice),
        why: why(notice),
        cost: cost(notice),
        now: by_name(now(notice)),
        worst_answers: lines(worst(notice)),
        related_alerts: lines(related(notice)),
        not_included: by_name(not_included(notice)),
        annotations: by_name(annotations(notice)),
        labels: by_name(labels(notice)),
        left_out: None,
    }
}

/// Leaves out the longest and least telling parts until the event fits.
fn within_size(mut event: PagerDutyEvent) -> PagerDutyEvent {
    let size = bytes(&event);
    if size <= of_pagerduty::EVENT_BYTES {
        return event;
    }
    // Each address may have any length.
    event.links.retain(|link| link.href.len() <= 3_000);
    event.client_url = event.client_url.filter(|url| url.len() <= 3_000);
    if let Some(payload) = &mut event.payload {
        let details = &mut payload.custom_details;
        details.annotations.clear();
        details.description.iter_mut().for_each(|text| *text = shorten(text, 1_000).into_owned());
        details.left_out = Some(format!(
            "The event had {size} bytes: annotations, long descriptions and addresses of more than 3,000 \
             characters are left out."
        ));
    }
    event
}

fn bytes(event: &PagerDutyEvent) -> usize {
    // Plain data always serializes; if it did not, it would be sent nowhere either.
    serde_json::to_vec(event).map_or(usize::MAX, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_key_has_32_characters_and_is_not_shown() {
        let key = RoutingKey::try_from("0123456789abcdef0123456789ABCDEF".to_owned()).unwrap();
        assert_eq!(format!("{key:?}"), "RoutingKey(redacted)");
        for wrong in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcd f"] {
            assert_eq!(RoutingKey::try_from(wrong.to_owned()), Err(NotARoutingKey));
        }
    }

    #[test]
    fn the_severity_is_always_one_that_pagerduty_knows() {
        for (severity, word) in [
            (Severity::Info, "info"),
            (Severity::Warning, "warning"),
            (Severity::Error, "error"),
            (Severity::Critical, "critical"),
        ] {
            assert_eq!(serde_json::to_value(severity).unwrap(), word);
        }
    }
}
