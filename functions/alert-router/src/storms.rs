//! Storms: beyond so many new alerts of one route in a minute, chats get one summary for the rest.
//! The record of a route knows what its summary stands for and what each chat was last told of it,
//! so that a summary that was not delivered is delivered by the retry.

use std::collections::{BTreeMap, BTreeSet};

use adapters::Fault;
use adapters::state::{NotWritten, RecordKey, Versioned};
use domain::alert::lifecycle::{AlertRecord, Receipt};
use domain::alert::message::headline;
use domain::alert::notice::{Enrichment, StormSummary};
use domain::alert::rules::{DestinationKind, DestinationName};
use domain::alert::storm::{Admission, StormWindow, admit};
use domain::alert::{AlertKey, Severity};
use domain::names::ComponentName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::delivering::Failed;
use crate::preparing::{Case, Decided};
use crate::records::{TRIES, stand_back};
use crate::sending::Sent;
use crate::wording::{Context, notice};
use crate::work::Work;

/// How long a storm is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// First lines that a summary shows.
const LINES: usize = 10;
/// Components that are counted one by one.
const MOST_COMPONENTS: usize = 200;

/// What a summary says of one alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    severity: Severity,
    component: Option<ComponentName>,
    headline: String,
}

/// A storm on one route.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Storm {
    /// The minute, and the alerts of it.
    window: Option<StormWindow>,
    /// Alerts of earlier minutes that some chat has not been told of.
    carried: u64,
    /// When the first came.
    from: Option<Timestamp>,
    by_severity: BTreeMap<Severity, u32>,
    by_component: BTreeMap<ComponentName, u32>,
    /// The worst first.
    lines: Vec<Line>,
    /// Each chat that the summary is for, and what it was told.
    chats: BTreeMap<DestinationName, Told>,
    /// Who tells them now, and until when nobody else may.
    claim: Option<(String, Timestamp)>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Told {
    alerts: u64,
    /// Whether the summary can be changed there.
    is_editable: bool,
    receipt: Option<Receipt>,
}

impl Storm {
    fn alerts(&self) -> u64 {
        self.carried + self.window.as_ref().map_or(0, StormWindow::count)
    }

    fn is_owed(&self, told: &Told) -> bool {
        told.alerts < self.alerts() && (told.is_editable || told.alerts == 0)
    }

    fn owes_anybody(&self) -> bool {
        self.chats.values().any(|told| self.is_owed(told))
    }

    /// Takes in one new alert. Whether its chats are told by the summary.
    fn take(&mut self, key: &AlertKey, line: &Line, most: u32, now: Timestamp) -> bool {
        let before = self.window.clone();
        let (window, admission) = admit(before.clone(), key, most, now);
        let is_next_minute = before.as_ref().is_some_and(|before| before.minute != window.minute);
        if is_next_minute {
            if self.owes_anybody() {
                self.carried = self.alerts();
            } else {
                *self = Self::default();
            }
        }
        let counted = if is_next_minute { 0 } else { before.as_ref().map_or(0, StormWindow::count) };
        let is_new = window.count() > counted;
        self.window = Some(window);
        let Admission::InSummary { .. } = admission else { return false };
        if is_new {
            self.from.get_or_insert(now);
            *self.by_severity.entry(line.severity).or_default() += 1;
            if let Some(component) = &line.component
                && (self.by_component.len() < MOST_COMPONENTS || self.by_component.contains_key(component))
            {
                *self.by_component.entry(component.clone()).or_default() += 1;
            }
            self.lines.push(line.clone());
            self.lines.sort_by_key(|line| std::cmp::Reverse(line.severity));
            self.lines.truncate(LINES);
        }
        true
    }

    fn summary(&self, route: &str, now: Timestamp) -> StormSummary {
        let mut top: Vec<(ComponentName, u32)> =
            self.by_component.iter().map(|(name, alerts)| (name.clone(), *alerts)).collect();
        top.sort_by_key(|(_, alerts)| std::cmp::Reverse(*alerts));
        top.truncate(LINES);
        StormSummary {
            route: route.to_owned(),
            from: self.from.unwrap_or(now),
            until: now,
            alerts: self.alerts(),
            by_severity: self.by_severity.clone(),
            components: u32::try_from(self.by_component.len()).unwrap_or(u32::MAX),
            top_components: top,
            first_lines: self.lines.iter().map(|line| line.headline.clone()).collect(),
        }
    }
}

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
            if !storm.owes_anybody() {
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
        let summary = storm.summary(route, Timestamp::now());
        let alerts = storm.alerts();
        let owed: Vec<DestinationName> = storm
            .chats
            .iter()
            .filter(|(_, told)| storm.is_owed(told))
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
                Sent::Owed(reason) => failed = Some(Failed::owed(&name, &reason)),
                // Each alert is remembered; a chat that refuses for good is named and passed by.
                Sent::Refused(reason) => {
                    tracing::error!(destination = %name, reason, route, "summary of a storm refused");
                    told.alerts = alerts;
                    told.is_editable = false;
                }
            }
        }
        failed
    }

    /// Writes what was told, on top of what other invocations have added meanwhile.
    async fn settle_summary(&self, route: &str, told: Storm, version: i64) -> Result<(), Fault> {
        let mut next = (Some(version), Storm { claim: None, ..told.clone() });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    fn line(severity: Severity) -> Line {
        let component = Some("qwen-7b".parse().unwrap());
        Line { severity, component, headline: format!("{severity:?}") }
    }

    fn take(storm: &mut Storm, number: u32, second: i64) -> bool {
        let severity = if number == 3 { Severity::Critical } else { Severity::Warning };
        storm.take(&AlertKey::of([number.to_string().as_str()]), &line(severity), 2, at(second))
    }

    fn chat(storm: &mut Storm, alerts: u64) {
        let name = DestinationName::new("slack").unwrap();
        storm.chats.insert(name, Told { alerts, is_editable: true, receipt: None });
    }

    #[test]
    fn beyond_the_limit_alerts_are_counted_once_and_the_worst_stand_first() {
        let mut storm = Storm::default();
        let shared: Vec<bool> = [1, 2, 4, 3, 3, 1].map(|number| take(&mut storm, number, 0)).into();
        assert_eq!(shared, [false, false, true, true, true, false]);
        let summary = storm.summary("everything", at(5));
        assert_eq!((summary.alerts, summary.components, summary.more()), (2, 1, 0));
        assert_eq!(summary.first_lines, ["Critical", "Warning"]);
    }

    #[test]
    fn a_summary_that_nobody_was_told_of_is_carried_into_the_next_minute() {
        let mut storm = Storm::default();
        for number in 1..=4 {
            take(&mut storm, number, 0);
        }
        chat(&mut storm, 0);
        assert!(storm.owes_anybody());
        assert!(!take(&mut storm, 9, 60));
        assert_eq!(storm.alerts(), 2);
        chat(&mut storm, 2);
        assert!(!storm.owes_anybody());
        take(&mut storm, 10, 120);
        assert_eq!((storm.alerts(), storm.lines.len()), (0, 0));
    }
}
