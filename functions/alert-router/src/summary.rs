//! What an invocation did: counted for metrics and the log, and told to whoever invoked it.

use std::collections::BTreeMap;

use domain::alert::lifecycle::{Audience, Change, QuietCause};
use domain::alert::parse::Parsed;
use domain::alert::rules::DestinationName;
use serde::Serialize;
use serde_json::{Value, json};

use crate::preparing::{Case, Decided};
use crate::sending::Sent;
use crate::telling::Message;

/// Alerts that an answer shows one by one.
const SHOWN: usize = 50;

/// Counts of one invocation.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    /// Messages with alerts.
    pub(crate) messages: u64,
    /// Records of the event that held no message.
    pub(crate) unreadable: u64,
    /// Deliveries that came back from the dead-letter queue.
    pub(crate) redriven: u64,
    /// Alerts.
    pub(crate) alerts: u64,
    /// Alerts that did not arrive whole.
    pub(crate) lost: u64,
    /// Messages by who wrote them.
    pub(crate) families: BTreeMap<String, u64>,
    /// What was out of the ordinary about messages.
    pub(crate) notes: BTreeMap<&'static str, u64>,
    /// Alerts by what they changed.
    pub(crate) changes: BTreeMap<String, u64>,
    /// Alerts by how bad they are called.
    pub(crate) severities: BTreeMap<String, u64>,
    /// Alerts that nobody said how bad they are.
    pub(crate) unknown_severity: u64,
    /// Alerts that nobody was called for, by why.
    pub(crate) quiet: BTreeMap<String, u64>,
    /// Alerts that the summary of a storm tells.
    pub(crate) summarised: u64,
    /// What was to be told and was left out, because a destination took nothing for too long.
    pub(crate) left_out: u64,
    /// Parts of context that could not be looked up.
    pub(crate) enrichment_missing: u64,
    /// Deliveries by destination.
    pub(crate) destinations: BTreeMap<String, Deliveries>,
}

/// What one destination took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Deliveries {
    /// Taken, with one call or more.
    pub(crate) delivered: u64,
    /// Of these, taken in a plainer form only.
    pub(crate) plain: u64,
    /// Nothing had to be said there.
    pub(crate) nothing_to_say: u64,
    /// Not taken yet.
    pub(crate) owed: u64,
    /// Left to a later invocation, as the pace of the destination demands.
    pub(crate) later: u64,
    /// Refused for good, and parked.
    pub(crate) parked: u64,
}

impl Counts {
    /// Counts a message.
    pub(crate) fn parsed(&mut self, parsed: &Parsed) {
        self.messages += 1;
        self.alerts += parsed.alerts.len() as u64;
        self.lost += parsed.lost as u64;
        *self.families.entry(word(&json!(parsed.family))).or_default() += 1;
        for note in &parsed.notes {
            *self.notes.entry(note.as_str()).or_default() += 1;
        }
    }

    /// Counts what was made of an alert.
    pub(crate) fn decided(&mut self, decided: &Decided) {
        let decision = &decided.correlated.decision;
        *self.changes.entry(change(&decided.change)).or_default() += 1;
        *self.severities.entry(decision.severity().to_string()).or_default() += 1;
        self.unknown_severity += u64::from(decision.unknown_severity.is_some());
        self.summarised += u64::from(!decided.summarised_by.is_empty());
        self.left_out += decided.left_out;
        if let Change::Quiet(quiet) = &decided.change {
            *self.quiet.entry(word(&json!(quiet.cause))).or_default() += 1;
        }
    }

    /// Counts what a destination took.
    pub(crate) fn sent(&mut self, destination: &DestinationName, sent: &Sent) {
        let counts = self.destinations.entry(destination.to_string()).or_default();
        match sent {
            Sent::Delivered { calls: 0, .. } => counts.nothing_to_say += 1,
            Sent::Delivered { plain, .. } => {
                counts.delivered += 1;
                counts.plain += u64::from(plain.is_some());
            }
            Sent::Owed { .. } => counts.owed += 1,
            Sent::Later { .. } => counts.later += 1,
            Sent::Refused(_) => counts.parked += 1,
        }
    }

    /// Alerts that nobody was called for, of one cause.
    pub(crate) fn quiet(&self, cause: QuietCause) -> u64 {
        self.quiet.get(&word(&json!(cause))).copied().unwrap_or_default()
    }

    /// Over all destinations.
    pub(crate) fn total(&self, of: fn(&Deliveries) -> u64) -> u64 {
        self.destinations.values().map(of).sum()
    }
}

/// The answer to whoever invoked the function.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    /// Whether nothing was written and nobody was told.
    pub(crate) dry_run: bool,
    /// What was counted.
    #[serde(flatten)]
    pub(crate) counts: Counts,
    /// The alerts, up to 50.
    pub(crate) decisions: Vec<Value>,
    /// How long it took.
    pub(crate) duration_ms: u64,
}

/// One alert, for [`Summary::decisions`].
pub(crate) fn decision(
    case: &Case,
    decided: &Decided,
    would_send: &[(DestinationName, Vec<Message>)],
) -> Value {
    let decision = &decided.correlated.decision;
    let (told_to, quiet) = match &decided.routing.audience {
        Audience::Told(destinations) => (json!(destinations), Value::Null),
        Audience::Quiet(quiet) => (json!([]), json!(quiet)),
    };
    let mut shown = json!({
        "rule": case.alert.rule,
        "key": case.alert.key,
        "status": case.alert.status,
        "meaning": decision.meaning(),
        "severity": decision.severity(),
        "reason": decision.classification.reason,
        "component": decision.subject.component,
        "endpoint": decision.subject.endpoint,
        "metric": decision.metric,
        "value": decision.value,
        "joined_with": decided.correlated.joined,
        "change": decided.change,
        "routes": decided.routing.routes,
        "told_to": told_to,
        "quiet": quiet,
        "summarised_by": decided.summarised_by,
    });
    if !would_send.is_empty() {
        let send = |(destination, messages): &(DestinationName, Vec<Message>)| json!({"destination": destination, "messages": messages});
        shown["would_send"] = would_send.iter().map(send).collect();
    }
    shown
}

/// As many as are shown.
pub(crate) fn shown(decisions: impl Iterator<Item = Value>) -> Vec<Value> {
    decisions.take(SHOWN).collect()
}

fn change(change: &Change) -> String {
    word(&json!(change)["change"])
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// `a=1 b=2`, for a log line.
pub(crate) fn listed<V: std::fmt::Display>(
    counts: impl IntoIterator<Item = (impl std::fmt::Display, V)>,
) -> String {
    let pairs: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name}={count}")).collect();
    pairs.join(" ")
}
