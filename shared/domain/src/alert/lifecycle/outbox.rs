//! What each destination has been told of an alert and what it is still owed.
//!
//! Each thing to tell is a [`Step`] with a number. A destination remembers the last number that it
//! took; what it is owed are the later steps that are meant for it, in order. Before it sends, an
//! invocation claims; a claim ends by itself, so that a crash delays and loses nothing.
//!
//! For whoever delivers:
//! 1. `claim` and store the record with a condition on its version; on a conflict read it again.
//! 2. Send each [`Delivery`]. Read the record again and `confirm` with what the service answered,
//!    or `release` what failed and is to be tried again, or `give_up` what never can be delivered.
//! 3. Repeat from 1 until nothing is claimed.
//! 4. While [`Outbox::claimed_until`] says that somebody else is at it, the event is not done: look
//!    again, without writing, or let the event come back. The other invocation may have crashed.
//!
//! A crash between sending and confirming sends that one delivery again: services that take a
//! dedup key make nothing of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::step_kind::StepKind;
use crate::alert::rules::{DestinationName, SecretArn};
use crate::alert::{Meaning, Severity};

/// The most steps that are kept for a destination that takes nothing.
const MOST_STEPS: usize = 40;

/// Steps that somebody is owed, and what each destination has taken.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    last: u64,
    steps: Vec<Step>,
    destinations: BTreeMap<DestinationName, Told>,
    /// Steps that were left out because a destination took none for too long.
    pub left_out: u64,
}

/// One thing to tell, and what is to be said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number in the record.
    pub number: u64,
    /// What is to be done.
    pub kind: StepKind,
    /// How bad it was then.
    pub severity: Severity,
    /// How bad people had been told it was, when this says that it is worse.
    #[serde(default)]
    pub raised_from: Option<Severity>,
    /// What the status meant then.
    pub meaning: Meaning,
    /// Why it was called so.
    pub reason: String,
    /// What was measured then.
    pub values: BTreeMap<String, f64>,
    /// Since when it fired.
    pub starts_at: Option<Timestamp>,
    /// When it ended.
    pub ends_at: Option<Timestamp>,
    /// When this was decided.
    pub at: Timestamp,
    /// Whether an incident is closed by it.
    pub closes_incidents: bool,
    audience: BTreeSet<DestinationName>,
}

/// What one destination has taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The number of the last step that it took.
    pub delivered: u64,
    /// Whether its last message says that the alert fires, or that it went silent and its incident
    /// stays open.
    pub is_open: bool,
    /// What the service needs to find its message again.
    pub receipt: Option<Receipt>,
    /// Set when a step could not be delivered for good: why, without any text of the service.
    pub given_up: Option<String>,
    /// The firing for which it was addressed last.
    episode: u64,
    /// A summary of a storm told it.
    is_summarised: bool,
    /// The number of a step of which only the first part was taken.
    #[serde(default)]
    begun: Option<u64>,
    claim: Option<Claim>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    owner: String,
    until: Timestamp,
}

/// How a message or incident is found again. Secrets are named, never held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Receipt {
    /// A Slack message that a bot posted.
    Slack {
        /// The channel's id, as the answer gave it.
        channel: String,
        /// The message's time stamp.
        ts: String,
    },
    /// A `PagerDuty` incident; only the same routing key can resolve it.
    PagerDuty {
        /// Which secret holds the routing key.
        routing_key: SecretArn,
        /// Where it was opened.
        base_url: String,
        /// The dedup key.
        dedup_key: String,
    },
    /// An Opsgenie alert.
    Opsgenie {
        /// Which secret holds the API key.
        api_key: SecretArn,
        /// Where it was created.
        base_url: String,
        /// Its alias.
        alias: String,
    },
    /// A service that gives nothing to find it by: incoming webhooks, SNS.
    Sent,
}

/// One message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// To whom.
    pub destination: DestinationName,
    /// What to do there. Opens where nothing is open, so it may differ from the step's kind.
    pub action: StepKind,
    /// What to say: the newest of the steps that this message stands for.
    pub step: Step,
    /// The message that is edited or closed.
    pub receipt: Option<Receipt>,
    /// Whether its first part was taken already, which the receipt names.
    pub is_begun: bool,
}

/// What to say in a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Content {
    pub(super) severity: Severity,
    pub(super) raised_from: Option<Severity>,
    pub(super) meaning: Meaning,
    pub(super) reason: String,
    pub(super) values: BTreeMap<String, f64>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) at: Timestamp,
    pub(super) closes_incidents: bool,
}

impl Outbox {
    /// Claims for `owner`, until `lease` is over, the next message to each destination that is
    /// owed one and that nobody else is at. `owner` is new for each attempt: a retry does not know
    /// whether the attempt before it still runs.
    pub fn claim(&mut self, owner: &str, now: Timestamp, lease: SignedDuration) -> Vec<Delivery> {
        let until = now.checked_add(lease).unwrap_or(Timestamp::MAX);
        let mut deliveries = Vec::new();
        for (name, told) in &mut self.destinations {
            let is_taken = told.claim.as_ref().is_some_and(|claim| claim.owner != owner && claim.until > now);
            if is_taken {
                continue;
            }
            match next(&self.steps, name, told) {
                Some(delivery) => {
                    told.claim = Some(Claim { owner: owner.to_owned(), until });
                    deliveries.push(delivery);
                }
                None => told.claim = None,
            }
        }
        deliveries
    }

    /// Notes that a destination took a delivery, also when its claim has run out meanwhile.
    pub fn confirm(&mut self, delivery: &Delivery, receipt: Option<Receipt>) {
        let Some(told) = self.destinations.get_mut(&delivery.destination) else { return };
        told.claim = None;
        if delivery.step.number <= told.delivered {
            return;
        }
        told.delivered = delivery.step.number;
        told.given_up = None;
        told.is_open = match delivery.action {
            StepKind::Open | StepKind::Raise | StepKind::Flapping | StepKind::Edit => true,
            StepKind::Silent => !delivery.step.closes_incidents,
            StepKind::Close | StepKind::Missed => false,
        };
        if receipt.is_some() {
            told.receipt = receipt;
        }
        self.prune();
    }

    /// Notes that a destination took the first part of a delivery: the rest is owed.
    pub fn begin(&mut self, delivery: &Delivery, receipt: Receipt) {
        let Some(told) = self.destinations.get_mut(&delivery.destination) else { return };
        told.claim = None;
        if delivery.step.number > told.delivered {
            told.begun = Some(delivery.step.number);
            told.receipt = Some(receipt);
        }
    }

    /// Gives up the claim of `owner`: what failed can be tried again at once.
    pub fn release(&mut self, destination: &DestinationName, owner: &str) {
        if let Some(told) = self.destinations.get_mut(destination)
            && told.claim.as_ref().is_some_and(|claim| claim.owner == owner)
        {
            told.claim = None;
        }
    }

    /// Notes that a delivery never can be made, and why. Later steps are tried again.
    pub fn give_up(&mut self, delivery: &Delivery, why: &str) {
        let Some(told) = self.destinations.get_mut(&delivery.destination) else { return };
        told.claim = None;
        told.delivered = told.delivered.max(delivery.step.number);
        told.given_up = Some(why.to_owned());
        self.prune();
    }

    /// Whether any destination is owed anything.
    pub fn is_owed(&self) -> bool {
        self.destinations.iter().any(|(name, told)| next(&self.steps, name, told).is_some())
    }

    /// Until when others than `owner` have claimed what is owed.
    pub fn claimed_until(&self, owner: &str, now: Timestamp) -> Option<Timestamp> {
        let owed = self.destinations.iter().filter(|(name, told)| next(&self.steps, name, told).is_some());
        let claims = owed.filter_map(|(_, told)| told.claim.as_ref());
        claims.filter(|claim| claim.owner != owner && claim.until > now).map(|claim| claim.until).max()
    }

    /// What each destination has taken, by name.
    pub fn destinations(&self) -> impl Iterator<Item = (&DestinationName, &Told)> {
        self.destinations.iter()
    }

    /// Whether something is open at a destination: see [`Told::is_open`].
    pub fn is_open_at(&self, destination: &DestinationName) -> bool {
        self.destinations.get(destination).is_some_and(|told| told.is_open)
    }

    /// Whether a destination took its last message by itself: it neither refused it nor was left to a
    /// summary.
    pub(super) fn has_told(&self, destination: &DestinationName) -> bool {
        let told = self.destinations.get(destination);
        told.is_some_and(|told| told.given_up.is_none() && !told.is_summarised)
    }

    /// The steps that somebody is still owed, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Leaves what was decided last to the summary of a storm: these destinations get no message of
    /// their own, until the alert becomes worse. Several messages of one event may have been decided
    /// about at once, such as its start and its end.
    pub fn leave_to_summary(&mut self, destinations: &[DestinationName]) {
        let Some(now) = self.steps.last().map(|step| step.at) else { return };
        for name in destinations {
            let Some(told) = self.destinations.get_mut(name) else { continue };
            let own = self.steps.iter_mut().filter(|step| step.at == now && step.audience.contains(name));
            for step in own.skip_while(|step| !step.kind.is_first()) {
                told.is_summarised = step.kind.is_first() || !step.kind.is_loud();
                if !told.is_summarised {
                    // It became worse: from there on it is told by itself.
                    break;
                }
                step.audience.remove(name);
            }
        }
        self.prune();
    }

    /// Those who were addressed for this firing and have messages of their own.
    pub(super) fn members(&self, episode: u64) -> BTreeSet<DestinationName> {
        let is_member = |told: &Told| told.episode == episode && !told.is_summarised;
        self.destinations.iter().filter(|(_, told)| is_member(told)).map(|(name, _)| name.clone()).collect()
    }

    /// Those of `destinations` that were not addressed for this firing.
    pub(super) fn strangers(&self, destinations: &[DestinationName], episode: u64) -> Vec<DestinationName> {
        let is_stranger =
            |name: &&DestinationName| self.destinations.get(*name).is_none_or(|told| told.episode != episode);
        destinations.iter().filter(is_stranger).cloned().collect()
    }

    pub(super) fn push(
        &mut self,
        kind: StepKind,
        audience: BTreeSet<DestinationName>,
        episode: u64,
        content: Content,
    ) {
        if audience.is_empty() {
            return;
        }
        for name in &audience {
            let told = self.destinations.entry(name.clone()).or_default();
            told.episode = episode;
            told.is_summarised &= !kind.is_loud();
        }
        // Of two edits that nobody has taken, the first has nothing left to say.
        if let Some(last) = self.steps.last()
            && (last.kind, kind) == (StepKind::Edit, StepKind::Edit)
            && last.audience.is_subset(&audience)
        {
            self.steps.pop();
        }
        self.last += 1;
        self.steps.push(Step {
            number: self.last,
            kind,
            severity: content.severity,
            raised_from: content.raised_from,
            meaning: content.meaning,
            reason: content.reason,
            values: content.values,
            starts_at: content.starts_at,
            ends_at: content.ends_at,
            at: content.at,
            closes_incidents: content.closes_incidents,
            audience,
        });
        if self.steps.len() > MOST_STEPS {
            self.steps.remove(0);
            self.left_out += 1;
        }
    }

    /// Forgets the steps that everybody has taken.
    fn prune(&mut self) {
        let destinations = &self.destinations;
        let is_taken = |name: &DestinationName, number: u64| {
            destinations.get(name).is_some_and(|told: &Told| told.delivered >= number)
        };
        self.steps.retain(|step| step.audience.iter().any(|name| !is_taken(name, step.number)));
    }
}

/// The next message to a destination: the first step that it is owed, together with those behind
/// it that the same message can say.
fn next(steps: &[Step], name: &DestinationName, told: &Told) -> Option<Delivery> {
    let mut owed = steps.iter().filter(|step| step.number > told.delivered && step.audience.contains(name));
    // Where nothing is open there is nothing to edit or to close.
    let first = owed.find(|step| told.is_open || step.kind.is_loud())?;
    let mut action = match first.kind {
        StepKind::Raise if !told.is_open => StepKind::Open,
        kind => kind,
    };
    let mut newest = first;
    for step in owed {
        let joined = match (action, step.kind) {
            (StepKind::Open, StepKind::Edit | StepKind::Raise) => StepKind::Open,
            (StepKind::Raise | StepKind::Flapping, StepKind::Edit | StepKind::Raise) => action,
            (StepKind::Edit, kind) => kind,
            _ => break,
        };
        (action, newest) = (joined, step);
    }
    let is_begun = told.begun.is_some_and(|begun| (first.number..=newest.number).contains(&begun));
    let (destination, receipt) = (name.clone(), told.receipt.clone());
    Some(Delivery { destination, action, step: newest.clone(), receipt, is_begun })
}
