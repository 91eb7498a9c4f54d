//! Many alerts at once, told as one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Notice;
use crate::alert::Severity;
use crate::alert::message::headline;
use crate::names::ComponentName;

/// What is told instead of many single messages.
#[derive(Debug, Clone, PartialEq)]
pub struct StormSummary {
    /// The route that got them.
    pub route: String,
    /// When the first came.
    pub from: Timestamp,
    /// When this is said.
    pub until: Timestamp,
    /// How many alerts; may be more than are told below.
    pub alerts: u64,
    /// How many of each severity, of those whose severity is at hand.
    pub by_severity: BTreeMap<Severity, u32>,
    /// On how many components; alerts that name none are not among these.
    pub components: u32,
    /// Those with the most alerts first, a few of them.
    pub top_components: Vec<(ComponentName, u32)>,
    /// The first line of the message that each would have got, the worst first, a few of them.
    pub first_lines: Vec<String>,
}

/// How many components and first lines a summary names.
const NAMED: usize = 10;

impl StormSummary {
    /// Of what route `route` would have been told one by one.
    pub fn of(route: &str, from: Timestamp, until: Timestamp, notices: &[Notice]) -> Self {
        let mut by_severity = BTreeMap::<Severity, u32>::new();
        let mut by_component = BTreeMap::<&ComponentName, u32>::new();
        for notice in notices {
            *by_severity.entry(notice.classification.severity).or_default() += 1;
            if let Some(component) = &notice.component {
                *by_component.entry(component).or_default() += 1;
            }
        }
        let components = u32::try_from(by_component.len()).unwrap_or(u32::MAX);
        let mut top_components: Vec<(ComponentName, u32)> =
            by_component.into_iter().map(|(name, alerts)| (name.clone(), alerts)).collect();
        top_components.sort_by_key(|(_, alerts)| std::cmp::Reverse(*alerts));
        top_components.truncate(NAMED);
        let mut worst_first: Vec<&Notice> = notices.iter().collect();
        worst_first.sort_by_key(|notice| std::cmp::Reverse(notice.classification.severity));
        let first_lines = worst_first.into_iter().take(NAMED).map(headline).collect();
        let alerts = notices.len() as u64;
        Self {
            route: route.to_owned(),
            from,
            until,
            alerts,
            by_severity,
            components,
            top_components,
            first_lines,
        }
    }

    /// How many alerts there are beyond those in [`StormSummary::by_severity`].
    pub fn more(&self) -> u64 {
        self.alerts.saturating_sub(self.by_severity.values().copied().map(u64::from).sum())
    }

    /// The worst severity; [`Severity::Info`] of an empty storm.
    pub fn worst(&self) -> Severity {
        self.by_severity.keys().next_back().copied().unwrap_or(Severity::Info)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::message::tests::samples;

    #[test]
    fn the_worst_come_first_and_what_is_not_broken_down_is_counted() {
        let mut storm = samples::storm();
        assert_eq!((storm.alerts, storm.components, storm.more()), (42, 4, 0));
        assert_eq!(storm.worst(), Severity::Critical);
        assert!(storm.first_lines[0].starts_with("CRITICAL "));
        assert!(storm.top_components.is_sorted_by(|one, next| one.1 >= next.1));
        storm.alerts = 50;
        assert_eq!(storm.more(), 8);
    }
}
