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
    /// How many of each severity.
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
        Self { route: route.to_owned(), from, until, by_severity, components, top_components, first_lines }
    }

    /// How many alerts.
    pub fn alerts(&self) -> u32 {
        self.by_severity.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The worst severity; [`Severity::Info`] of an empty storm.
    pub fn worst(&self) -> Severity {
        self.by_severity.keys().next_back().copied().unwrap_or(Severity::Info)
    }
}
