//! Storms: beyond so many new alerts of one route in a minute, chats get one summary for the rest.
//! The record of a route knows what its summary stands for and what each chat was last told of it,
//! so that a summary that was not delivered is delivered by the retry.

mod storm;

use std::collections::BTreeSet;

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey, Versioned};
use domain::alert::AlertKey;
use domain::alert::lifecycle::AlertRecord;
use domain::alert::message::headline;
use domain::alert::notice::Enrichment;
use domain::alert::rules::{DestinationKind, DestinationName};
use jiff::{SignedDuration, Timestamp};

use crate::delivering::Failed;
use crate::event::{Returned, StormMinute};
use crate::preparing::{Case, Decided};
use crate::records::{TRIES, stand_back};
use crate::sending::{Sent, next_turn};
use crate::wording::{Context, notice};
use crate::work::Work;

pub(crate) use storm::Line;
use storm::{Storm, Told};

/// How long a storm is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

impl Work<'_> {
    /// Those of `destinations` that a summary can tell instead.
    pub(crate) fn chats(&self, destinations: &[DestinationName]) -> Vec<DestinationName> {
        let is_chat = |name: &&DestinationName| {
            let destination = self.terms.rules.destination(name);
            destination.is_some_and(|destination| !destination.kind.is_per_incident())
        };
        destinations.iter().filter(is_chat).cloned().collect()
    }

    /// The first line that the alert's own message would have.
    pub(crate) fn storm_line(&self, case: &Case, record: &AlertRecord, decided: &Decided) -> Line {
        let damping = self.terms.rules.damping();
        let context = Context {
            alert: &case.alert,
            change: Some(&decided.change),
            subject: &case.subject,
            related: &[],
            enrichment: &Enrichment::default(),
            rules: &self.terms.rules,
            region: &self.tools.region,
            now: self.now,
        };
        let first = record.clone().outbox.claim("", self.now, damping.claim).into_iter().next();
        let headline = match first {
            Some(delivery) => headline(&notice(record, &delivery, context)),
            None => case.alert.rule.clone(),
        };
        let severity = decided.correlated.decision.severity();
        Line { severity, component: case.place.component.clone(), headline }
    }

    /// Which of the new alerts of a route are left to its summary.
    pub(crate) async fn admit(
        &self,
        route: &str,
        chats: &BTreeSet<DestinationName>,
        lines: &[(AlertKey, Line)],
    ) -> Result<BTreeSet<AlertKey>, Fault> {
        let rules = &self.terms.rules;
        let most = rules.storm().new_alerts_per_minute;
        for attempt in 0..TRIES {
            if attempt > 0 {
                stand_back(attempt).await;
            }
            let (replaces, mut storm) = self.storm(route).await?;
            let shared: BTreeSet<AlertKey> = lines
                .iter()
                .filter(|(key, line)| storm.take(key, line, most, self.now))
                .map(|(key, _)| key.clone())
                .collect();
            if !shared.is_empty() {
                for destination in chats.iter().filter_map(|name| rules.destination(name)) {
                    let is_editable = matches!(destination.kind, DestinationKind::SlackBot { .. });
                    let new = || Told { is_editable, ..Told::default() };
                    storm.chats.entry(destination.name.clone()).or_insert_with(new);
                }
            }
            if self.is_dry_run || self.write_storm(route, &storm, replaces).await?.is_some() {
                return Ok(shared);
            }
        }
        Err(busy())
    }

    /// Tells the chats of a route what its summary owes them.
    pub(crate) async fn tell_summary(&self, route: &str) -> Result<(), Failed> {
        for attempt in 0..TRIES {
            if attempt > 0 {
                stand_back(attempt).await;
            }
            let (replaces, mut storm) = self.storm(route).await?;
            let look_due = storm.look_due(Timestamp::now());
            if let Some(due) = look_due {
                let minute = StormMinute { route: route.to_owned(), due };
                self.return_later(&Returned::StormMinute(minute)).await?;
                storm.looks_at = Some(due);
            }
            if !storm.owes_anybody(Timestamp::now()) {
                if look_due.is_some() && self.write_storm(route, &storm, replaces).await?.is_none() {
                    continue;
                }
                return Ok(());
            }
            let is_taken =
                |(owner, until): &(String, Timestamp)| *owner != self.owner && *until > Timestamp::now();
            if storm.claim.as_ref().is_some_and(is_taken) {
                return Err(Failed::elsewhere(&format!("summary of route {route}")));
            }
            let until = Timestamp::now() + self.terms.rules.damping().claim;
            storm.claim = Some((self.owner.clone(), until));
            let Some(version) = self.write_storm(route, &storm, replaces).await? else { continue };
            let failed = self.send_summary(route, &mut storm).await;
            self.settle_summary(route, storm, version).await?;
            // What came meanwhile is told by the next turn.
            if let Some(failed) = failed {
                return Err(failed);
            }
        }
        Ok(())
    }

    /// Sends to each chat that is owed, and notes in `storm` what it took.
    async fn send_summary(&self, route: &str, storm: &mut Storm) -> Option<Failed> {
        let now = Timestamp::now();
        let summary = storm.summary(route, now);
        let alerts = storm.alerts();
        let keys: Vec<AlertKey> = storm.keys().cloned().collect();
        let owed: Vec<DestinationName> = storm
            .chats
            .iter()
            .filter(|(_, told)| storm.is_owed(told, now))
            .map(|(name, _)| name.clone())
            .collect();
        let mut failed = None;
        for name in owed {
            let Some(destination) = self.terms.rules.destination(&name) else {
                // Not configured any more: nobody is there to be told.
                storm.chats.remove(&name);
                continue;
            };
            let Some(told) = storm.chats.get_mut(&name) else { continue };
            let sent = self.send_storm(destination, &summary, told.receipt.as_ref()).await;
            self.counts().sent(&name, &sent);
            match sent {
                Sent::Delivered { receipt, .. } => {
                    told.alerts = alerts;
                    told.receipt = receipt.or(told.receipt.take());
                }
                Sent::Owed { begun, reason } => {
                    told.receipt = begun.or(told.receipt.take());
                    failed = Some(Failed::owed(&name, &reason));
                }
                Sent::Later { begun, wait } => {
                    told.receipt = begun.or(told.receipt.take());
                    failed = Some(Failed::owed(&name, &next_turn(wait)));
                }
                // What comes in this minute still is parked when it is over.
                Sent::Refused(reason) => {
                    let rule = format!("in a summary of route {route}");
                    let letters: Vec<_> = keys.iter().map(|key| (key, rule.as_str())).collect();
                    if let Err(fault) = self.park(&letters, &name, &reason).await {
                        failed = Some(fault.into());
                        continue;
                    }
                    told.alerts = alerts;
                    told.is_editable = false;
                }
            }
        }
        failed
    }

    /// Writes what was told, on top of what other invocations have added meanwhile.
    async fn settle_summary(&self, route: &str, told: Storm, version: i64) -> Result<(), Fault> {
        let mut next = (Some(version), told.clone());
        next.1.claim = None;
        for attempt in 0..TRIES {
            if self.write_storm(route, &next.1, next.0).await?.is_some() {
                return Ok(());
            }
            stand_back(attempt).await;
            let (replaces, mut newer) = self.storm(route).await?;
            for (name, told) in &told.chats {
                newer.chats.insert(name.clone(), told.clone());
            }
            newer.claim = None;
            next = (replaces, newer);
        }
        Err(busy())
    }

    async fn storm(&self, route: &str) -> Result<(Option<i64>, Storm), Fault> {
        let known = self.tools.state.record::<Storm>(&RecordKey::storm(route), self.now).await?;
        Ok(match known {
            Some(Versioned { value, version }) => (Some(version), value),
            None => (None, Storm::default()),
        })
    }

    /// The new version; `None` when another invocation has written meanwhile.
    async fn write_storm(
        &self,
        route: &str,
        storm: &Storm,
        replaces: Option<i64>,
    ) -> Result<Option<i64>, Fault> {
        let key = RecordKey::storm(route);
        match self.tools.state.put_record(&key, storm, replaces, self.now, KEPT).await {
            Ok(version) => Ok(Some(version)),
            Err(NotWritten::Conflict) => Ok(None),
            Err(NotWritten::Failed(fault)) => Err(fault),
        }
    }
}

fn busy() -> Fault {
    Fault { operation: "PutItem", code: "ConditionalCheckFailedException".to_owned(), status: Some(400) }
}
