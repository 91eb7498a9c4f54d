//! Alerts for Opsgenie and its successor in Jira Service Management, whose alert APIs take the same
//! (docs.opsgenie.com, alert API; developer.atlassian.com, JSM operations).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::limits::{of_opsgenie, shorten, units};
use super::outside::one_line;
use super::text;
use super::wording::{Item, headline_within, labels, links, sentence, severity_name, since_in_utc};
use crate::alert::notice::Notice;
use crate::alert::{AlertKey, Severity};

/// The body of "create alert".
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpsgenieAlert {
    /// The first line.
    pub message: String,
    /// Which alert: the same for create, note and close.
    pub alias: String,
    /// Everything.
    pub description: String,
    /// Who is told; by the integration's own settings when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<Responder>,
    /// To find and to route by.
    pub tags: Vec<String>,
    /// Labels and addresses.
    pub details: BTreeMap<String, String>,
    /// What is affected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// How bad it is.
    pub priority: Priority,
    /// Who sends it.
    pub source: &'static str,
}

/// The body of "add note" and of "close", which are sent to `alerts/{alias}/notes` and
/// `alerts/{alias}/close` with `identifierType=alias`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpsgenieNote {
    /// What happened.
    pub note: String,
    /// Who sends it.
    pub source: &'static str,
}

/// Who is told of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: ResponderKind,
    /// Which one.
    #[serde(flatten)]
    pub name: ResponderName,
}

/// How a responder is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponderName {
    /// By id.
    Id(String),
    /// By name: a team, an escalation or a schedule.
    Name(String),
    /// By e-mail address: a person.
    Username(String),
}

/// What a responder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponderKind {
    /// A team.
    Team,
    /// A person.
    User,
    /// An escalation.
    Escalation,
    /// A schedule.
    Schedule,
}

/// Opsgenie's priorities, but P4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Priority {
    /// Critical.
    P1,
    /// Error.
    P2,
    /// Warning.
    P3,
    /// Info.
    P5,
}

impl From<Severity> for Priority {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::P1,
            Severity::Error => Self::P2,
            Severity::Warning => Self::P3,
            Severity::Info => Self::P5,
        }
    }
}

const SOURCE: &str = "Assay";

/// Opens the alert `alias`, or counts one more of it.
pub fn create(notice: &Notice, alias: &AlertKey, responders: Vec<Responder>) -> OpsgenieAlert {
    let component = notice.component.as_ref().map(ToString::to_string);
    let endpoint = notice.endpoint.as_ref().map(ToString::to_string);
    OpsgenieAlert {
        message: headline_within(notice, of_opsgenie::MESSAGE),
        alias: shorten(alias.as_str(), of_opsgenie::ALIAS).into_owned(),
        description: shorten(&text::notice(notice), of_opsgenie::DESCRIPTION).into_owned(),
        responders,
        tags: tags(notice),
        details: details(notice),
        entity: component.or(endpoint),
        priority: notice.classification.severity.into(),
        source: SOURCE,
    }
}

/// Closes an alert that recovered, with what is measured now.
pub fn close(notice: &Notice) -> OpsgenieNote {
    note(notice)
}

/// Says what is new about an open alert.
pub fn note(notice: &Notice) -> OpsgenieNote {
    let lines = [super::headline(notice), sentence(notice), since_in_utc(notice)];
    OpsgenieNote { note: shorten(&lines.join("\n"), of_opsgenie::NOTE).into_owned(), source: SOURCE }
}

fn tags(notice: &Notice) -> Vec<String> {
    let severity = format!("severity:{}", severity_name(notice.classification.severity));
    let team = notice.alert.labels.get("team").map(|team| format!("team:{}", one_line(team)));
    let place = |kind: &str, name: Option<String>| name.map(|name| format!("{kind}:{name}"));
    let component = place("component", notice.component.as_ref().map(ToString::to_string));
    let endpoint = place("endpoint", notice.endpoint.as_ref().map(ToString::to_string));
    let all = [Some(severity), component, endpoint, team];
    // A comma would make two tags of one.
    let tag = |tag: String| shorten(&tag.replace(',', " "), of_opsgenie::TAG).into_owned();
    all.into_iter().flatten().map(tag).take(of_opsgenie::TAGS).collect()
}

/// As many as fit, the key and the addresses first; how many do not is said in an entry of its own.
fn details(notice: &Notice) -> BTreeMap<String, String> {
    const RESERVE: usize = 60;
    let links =
        links(notice).into_iter().map(|(name, url)| Item { name: name.to_owned(), text: url.to_owned() });
    let key = Item { name: "key".to_owned(), text: notice.alert.key.to_string() };
    let mut details = BTreeMap::new();
    let mut length = 0;
    let mut left_out = 0;
    for Item { name, text } in std::iter::once(key).chain(links).chain(labels(notice)) {
        let more = units(&name) + units(&text);
        if length + more > of_opsgenie::DETAILS - RESERVE {
            left_out += 1;
        } else if let std::collections::btree_map::Entry::Vacant(entry) = details.entry(name) {
            entry.insert(text);
            length += more;
        }
    }
    if left_out > 0 {
        details.insert("left out".to_owned(), format!("{left_out} that did not fit"));
    }
    details
}
