//! What is remembered of a storm on a route: what its summary stands for, and what each chat was told
//! of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::alert::lifecycle::Receipt;
use domain::alert::notice::StormSummary;
use domain::alert::rules::DestinationName;
use domain::alert::storm::{Admission, StormWindow, admit};
use domain::alert::{AlertKey, Severity};
use domain::names::ComponentName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// First lines that a summary shows.
const LINES: usize = 10;
/// Alerts of earlier minutes that are remembered. As many again are of this minute, and a record
/// must fit into an item of `DynamoDB`, 400 KB.
const MOST_CARRIED: usize = 2_000;
/// Components that are counted one by one.
const MOST_COMPONENTS: usize = 200;

/// What a summary says of one alert.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(super) severity: Severity,
    pub(super) component: Option<ComponentName>,
    pub(super) headline: String,
}

/// A storm on one route.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Storm {
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
    pub(super) chats: BTreeMap<DestinationName, Told>,
    /// Those that are carried, as far as they are remembered, for the letters of a chat that refuses.
    #[serde(default)]
    carried_keys: BTreeSet<AlertKey>,
    /// The end of the minute after which the function looks again.
    #[serde(default)]
    pub(super) looks_at: Option<Timestamp>,
    /// Who tells them now, and until when nobody else may.
    pub(super) claim: Option<(String, Timestamp)>,
}

/// What a chat was told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// Of how many alerts.
    pub(super) alerts: u64,
    /// Whether the summary can be changed there.
    pub(super) is_editable: bool,
    /// How the summary is found again.
    pub(super) receipt: Option<Receipt>,
}

impl Storm {
    /// How many alerts the summary stands for.
    pub(super) fn alerts(&self) -> u64 {
        self.carried + self.window.as_ref().map_or(0, StormWindow::count)
    }

    /// The end of the window's minute.
    fn ends_at(&self) -> Option<Timestamp> {
        self.window.as_ref()?.minute.checked_add(SignedDuration::from_mins(1)).ok()
    }

    /// Whether a chat is to be told. Where a summary cannot be changed, it is told when a storm
    /// begins, and once more what each minute of it brought.
    pub(super) fn is_owed(&self, told: &Told, now: Timestamp) -> bool {
        let is_over = self.ends_at().is_none_or(|end| end <= now);
        let is_told_all = told.is_editable || told.alerts == 0 || is_over;
        told.alerts < if is_told_all { self.alerts() } else { self.carried }
    }

    /// Whether any chat is to be told.
    pub(super) fn owes_anybody(&self, now: Timestamp) -> bool {
        self.chats.values().any(|told| self.is_owed(told, now))
    }

    /// When to look again although no alert may come: a chat is told the rest then. `None` when a look
    /// is on its way.
    pub(super) fn look_due(&self, now: Timestamp) -> Option<Timestamp> {
        let is_shared = self.window.as_ref().is_some_and(|window| window.count() > 0);
        let end = self.ends_at().filter(|end| is_shared && *end > now)?;
        let waits = self.chats.values().any(|told| !told.is_editable);
        (waits && self.looks_at != Some(end)).then_some(end)
    }

    /// The alerts that a summary stands for.
    pub(super) fn keys(&self) -> impl Iterator<Item = &AlertKey> {
        self.carried_keys.iter().chain(self.window.iter().flat_map(StormWindow::shared))
    }

    /// Takes in one new alert. Whether its chats are told by the summary.
    pub(super) fn take(&mut self, key: &AlertKey, line: &Line, most: u32, now: Timestamp) -> bool {
        let before = self.window.clone();
        let (window, admission) = admit(before.clone(), key, most, now);
        let is_next_minute = before.as_ref().is_some_and(|before| before.minute != window.minute);
        if is_next_minute {
            if self.owes_anybody(now) {
                self.carried = self.alerts();
                self.carried_keys = self.keys().take(MOST_CARRIED).cloned().collect();
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

    /// What chats are told.
    pub(super) fn summary(&self, route: &str, now: Timestamp) -> StormSummary {
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

    fn chat(storm: &mut Storm, is_editable: bool, alerts: u64) {
        let name = DestinationName::new("slack").unwrap();
        storm.chats.insert(name, Told { alerts, is_editable, receipt: None });
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
        chat(&mut storm, true, 0);
        assert!(storm.owes_anybody(at(5)));
        assert!(!take(&mut storm, 9, 60));
        assert_eq!((storm.alerts(), storm.keys().count()), (2, 2));
        chat(&mut storm, true, 2);
        assert!(!storm.owes_anybody(at(65)));
        take(&mut storm, 10, 120);
        assert_eq!((storm.alerts(), storm.lines.len(), storm.keys().count()), (0, 0, 0));
    }

    #[test]
    fn where_a_summary_cannot_be_changed_the_rest_is_told_when_the_minute_is_over() {
        let mut storm = Storm::default();
        for number in 1..=3 {
            take(&mut storm, number, 0);
        }
        chat(&mut storm, false, 0);
        assert!(storm.owes_anybody(at(1)));
        assert_eq!(storm.look_due(at(1)), Some(at(60)));
        storm.looks_at = Some(at(60));
        assert_eq!(storm.look_due(at(2)), None);
        chat(&mut storm, false, 1);
        take(&mut storm, 4, 30);
        assert!(!storm.owes_anybody(at(59)));
        assert!(storm.owes_anybody(at(60)));

        // The next minute begins before the look: what is owed is carried, and told at once.
        take(&mut storm, 9, 61);
        assert_eq!(storm.alerts(), 2);
        assert!(storm.owes_anybody(at(61)));
        // Nothing is shared yet in this minute; as soon as something is, its end is looked for too.
        chat(&mut storm, false, 2);
        assert_eq!((storm.owes_anybody(at(62)), storm.look_due(at(62))), (false, None));
        for number in 10..=11 {
            take(&mut storm, number, 63);
        }
        assert_eq!((storm.owes_anybody(at(64)), storm.look_due(at(64))), (false, Some(at(120))));
        assert!(storm.owes_anybody(at(120)));
    }
}
