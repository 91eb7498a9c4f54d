//! What is remembered of an alert.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::outbox::{Content, Outbox};
use super::step_kind::StepKind;
use super::timeline::Timeline;
use super::{Arrival, Quiet, QuietCause};
use crate::alert::rules::{Damping, DestinationName};
use crate::alert::{Alert, AlertKey, Meaning, Severity, Status};

/// The longest text that is kept, in characters.
const LONGEST_TEXT: usize = 2_000;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;
/// The most bytes of labels that are kept, and of annotations. A record must fit into an item of
/// `DynamoDB`, 400 KB.
const MOST_TEXT: usize = 60_000;
/// The most bytes of values that are kept with each step.
const MOST_VALUES: usize = 2_000;
/// How much longer what is not over is kept.
const A_YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What is remembered of one alert, by its key. Plain data for the state table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// Counts changes, for conditional writes.
    pub version: u64,
    /// Whether it fires.
    pub condition: Condition,
    /// Since when it changes again and again.
    pub flapping_since: Option<Timestamp>,
    /// The newest message that said it fires; the end's when none did. Long texts are cut.
    pub alert: Alert,
    /// Since when it fires, or fired last.
    pub started_at: Option<Timestamp>,
    /// When it ended; `None` while it fires.
    pub ended_at: Option<Timestamp>,
    /// When the first message came.
    pub first_seen: Timestamp,
    /// When the last message came.
    pub last_seen: Timestamp,
    /// How bad the newest firing message is.
    pub severity: Severity,
    /// The worst of this firing.
    pub highest_severity: Severity,
    /// Why it is called so.
    pub reason: String,
    /// Why it ended.
    pub end_reason: String,
    /// What was measured when this firing began: kept for the message of its end.
    pub firing_values: BTreeMap<String, f64>,
    /// What was measured when it ended.
    pub end_values: BTreeMap<String, f64>,
    /// Why nobody was told, when nobody was.
    pub quiet: Option<Quiet>,
    /// How often what happened.
    pub counts: Counts,
    /// What destinations were told and are owed.
    pub outbox: Outbox,
    pub(super) timeline: Timeline,
    /// Counts firings as people see them: while it flaps, all are one.
    pub(super) episode: u64,
    /// The worst that people were called for in this firing.
    pub(super) notified: Option<Severity>,
    pub(super) closes_incidents: bool,
    pub(super) meaning: Meaning,
    /// When the newest firing message was sent.
    as_of: Option<Timestamp>,
    /// When the message was sent that the last call or edit is of.
    pub(super) edited_as_of: Timestamp,
    pub(super) recent_flips: Vec<Timestamp>,
    /// The look that is on its way.
    #[serde(default)]
    look_at: Option<Timestamp>,
}

/// Whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It fires.
    Firing,
    /// It recovered.
    Resolved,
    /// It does not fire any more, and nobody knows whether it recovered.
    Silent,
}

/// How often what happened to an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Messages.
    pub messages: u64,
    /// Repetitions of a firing.
    pub repeats: u64,
    /// The same again within moments.
    pub duplicates: u64,
    /// Messages older than what is known.
    pub late: u64,
    /// Changes between firing and not.
    pub flips: u64,
    /// Messages for which people would have been called and were not.
    pub quiet: u64,
}

impl AlertRecord {
    /// Its key.
    pub fn key(&self) -> &AlertKey {
        &self.alert.key
    }

    /// Whether it changes again and again.
    pub fn is_flapping(&self) -> bool {
        self.flapping_since.is_some()
    }

    /// When the message was sent whose text the record has: `sent_at` for an [`Arrival`] that is made
    /// of [`AlertRecord::alert`] again.
    pub fn sent_at(&self) -> Timestamp {
        self.as_of.unwrap_or(self.first_seen)
    }

    /// When a flapping alert is calm, if it does not change until then: [`super::settle`] is due.
    /// No message may come by itself, and an incident may be open.
    pub fn settles_at(&self, damping: &Damping) -> Option<Timestamp> {
        self.flapping_since?;
        self.recent_flips.last()?.checked_add(damping.calm).ok()
    }

    /// When to look at it although no message may come: a flapping alert may be calm, or what kept a
    /// firing one from people over. `None` when there is nothing to wait for, or a look is on its
    /// way: [`AlertRecord::note_look`].
    pub fn look_due(&self, damping: &Damping) -> Option<Timestamp> {
        let heard = self.waiting().and_then(|quiet| quiet.until);
        let due = self.settles_at(damping).into_iter().chain(heard).min()?;
        (self.look_at != Some(due)).then_some(due)
    }

    /// Notes that a look is on its way.
    pub fn note_look(&mut self, due: Timestamp) {
        self.look_at = Some(due);
    }

    /// Why nobody was told of it while it fires, when that can end without a message of its own.
    pub fn waiting(&self) -> Option<&Quiet> {
        let can_end = |quiet: &&Quiet| quiet.cause != QuietCause::Unrouted;
        self.quiet.as_ref().filter(can_end).filter(|_| self.condition == Condition::Firing)
    }

    /// How long the record is kept from now on. An alarm may last for months without a message, and only
    /// who remembers whom it was told to can tell them of its end.
    pub fn kept(&self, damping: &Damping) -> SignedDuration {
        let is_open = self.outbox.destinations().any(|(_, told)| told.is_open);
        if is_open || self.condition == Condition::Firing { damping.keep + A_YEAR } else { damping.keep }
    }

    pub(super) fn new(arrival: &Arrival) -> Self {
        let classification = &arrival.decision.classification;
        Self {
            version: 0,
            condition: Condition::Resolved,
            flapping_since: None,
            alert: cut(arrival.alert),
            started_at: None,
            ended_at: None,
            first_seen: arrival.now,
            last_seen: arrival.now,
            severity: classification.severity,
            highest_severity: classification.severity,
            reason: classification.reason.clone(),
            end_reason: String::new(),
            firing_values: BTreeMap::new(),
            end_values: BTreeMap::new(),
            quiet: None,
            counts: Counts::default(),
            outbox: Outbox::default(),
            timeline: Timeline::default(),
            episode: 0,
            notified: None,
            closes_incidents: false,
            meaning: classification.meaning,
            as_of: None,
            edited_as_of: arrival.sent_at,
            recent_flips: Vec::new(),
            look_at: None,
        }
    }

    /// Takes severity and text of a message, unless one that was sent later is known. Whether it
    /// did.
    pub(super) fn take_if_newest(&mut self, arrival: &Arrival) -> bool {
        let is_end = arrival.alert.status == Status::Resolved;
        if self.as_of.is_some_and(|known| known > arrival.sent_at) || (is_end && self.as_of.is_some()) {
            return false;
        }
        if !is_end {
            self.as_of = Some(arrival.sent_at);
        }
        let classification = &arrival.decision.classification;
        self.alert = cut(arrival.alert);
        self.severity = classification.severity;
        self.highest_severity = self.highest_severity.max(self.severity);
        self.meaning = classification.meaning;
        self.reason.clone_from(&classification.reason);
        true
    }

    pub(super) fn begin_episode(&mut self) {
        self.episode += 1;
        self.notified = None;
        self.quiet = None;
        self.highest_severity = self.severity;
    }

    /// Calls people.
    pub(super) fn tell(&mut self, kind: StepKind, audience: BTreeSet<DestinationName>, now: Timestamp) {
        let raised_from = self.notified.filter(|notified| *notified < self.severity);
        self.notified = self.notified.max(Some(self.severity));
        self.quiet = None;
        self.push_raised(kind, audience, raised_from, now);
    }

    /// Brings up to date what was told.
    pub(super) fn edit(&mut self, now: Timestamp) {
        let audience = self.outbox.members(self.episode);
        self.push(StepKind::Edit, audience, now);
    }

    pub(super) fn push(&mut self, kind: StepKind, audience: BTreeSet<DestinationName>, now: Timestamp) {
        self.push_raised(kind, audience, None, now);
    }

    fn push_raised(
        &mut self,
        kind: StepKind,
        audience: BTreeSet<DestinationName>,
        raised_from: Option<Severity>,
        now: Timestamp,
    ) {
        let fires = self.condition == Condition::Firing;
        let (meaning, reason, values) = match self.condition {
            Condition::Firing => (self.meaning, &self.reason, &self.alert.values),
            Condition::Resolved => (Meaning::Recovered, &self.end_reason, &self.end_values),
            Condition::Silent => (Meaning::WentSilent, &self.end_reason, &self.end_values),
        };
        let content = Content {
            severity: self.severity,
            raised_from,
            meaning,
            reason: cut_text(reason, LONGEST_REASON),
            values: values.clone(),
            starts_at: self.started_at,
            ends_at: self.ended_at,
            at: now,
            closes_incidents: !fires && self.closes_incidents,
        };
        self.outbox.push(kind, audience, self.episode, content);
    }
}

/// The alert with long texts cut and surplus ones left out, so that it can be stored.
fn cut(alert: &Alert) -> Alert {
    Alert {
        rule: cut_text(&alert.rule, LONGEST_TEXT),
        labels: cut_texts(&alert.labels),
        annotations: cut_texts(&alert.annotations),
        values: cut_values(&alert.values),
        ..alert.clone()
    }
}

/// As many values as can be stored.
pub(super) fn cut_values(values: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let mut left = MOST_VALUES;
    let mut fits = |name: &str| spend(&mut left, name.len() + 24);
    values.iter().filter(|(name, _)| fits(name)).map(|(name, value)| (name.clone(), *value)).collect()
}

fn cut_texts(texts: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut left = MOST_TEXT;
    let cut = texts.iter().map(|(name, text)| (cut_text(name, LONGEST_TEXT), cut_text(text, LONGEST_TEXT)));
    cut.filter(|(name, text)| spend(&mut left, name.len() + text.len())).collect()
}

/// Whether `bytes` are left.
fn spend(left: &mut usize, bytes: usize) -> bool {
    let rest = left.checked_sub(bytes);
    *left = rest.unwrap_or(*left);
    rest.is_some()
}

fn cut_text(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest).chain("...".chars()).collect()
}
