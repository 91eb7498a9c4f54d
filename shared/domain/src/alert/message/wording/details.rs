//! The lists of a message: values now, worst answers, related alerts, labels, links.

use super::super::outside::{is_address, one_line};
use super::super::time::utc;
use super::{count, severity_name, shorten};
use crate::alert::Meaning;
use crate::alert::notice::{Cost, Notice, Quantity};
use crate::money::MicroUsd;

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::alert::message) struct Item {
    /// What it is.
    pub(in crate::alert::message) name: String,
    /// What is said of it; empty when the name says it all.
    pub(in crate::alert::message) text: String,
}

impl Item {
    fn new(name: &str, text: &str) -> Self {
        let name = one_line(name);
        let name = if name.is_empty() { "(no name)".to_owned() } else { shorten(&name, 200).into_owned() };
        let text = one_line(text);
        let text = if text.is_empty() { "(empty)".to_owned() } else { text };
        Self { name, text }
    }

    /// What stands for the entries that are left out, when there are any.
    fn left_out(number: usize, thing: &str) -> Option<Self> {
        let name = format!("and {} more", count(number as u64, thing));
        (number > 0).then_some(Self { name, text: String::new() })
    }
}

/// The first `most` entries, and how many are left out.
fn some<T>(all: &[T], most: usize, thing: &str, item: impl Fn(&T) -> Item) -> Vec<Item> {
    let rest = Item::left_out(all.len().saturating_sub(most), thing);
    all.iter().take(most).map(item).chain(rest).collect()
}

/// Room for a sparkline.
const WIDTH: usize = 24;

/// Each metric now, with its last hour.
pub(in crate::alert::message) fn now(notice: &Notice) -> Vec<Item> {
    some(&notice.enrichment.now, 20, "metric", |metric| {
        let current = metric.current.filter(|value| value.is_finite());
        let current = current.map(|value| metric.quantity.show(value));
        let text = match (current, metric.hour.range()) {
            (None, None) => "nothing was measured in the last hour".to_owned(),
            (Some(current), None) => format!("{current}; nothing else was measured in the last hour"),
            (current, Some((lowest, highest))) => {
                let current = current.unwrap_or_else(|| "not measured now".to_owned());
                let line = metric.hour.sparkline(WIDTH);
                let (lowest, highest) = metric.quantity.show_both(lowest, highest);
                if lowest == highest {
                    format!("{current} {line} 1 h: level")
                } else {
                    format!("{current} {line} 1 h: {lowest} to {highest}")
                }
            }
        };
        Item::new(&metric.metric, &text)
    })
}

/// What the judge said of the worst answers.
pub(in crate::alert::message) fn worst(notice: &Notice) -> Vec<Item> {
    some(&notice.enrichment.worst, 5, "answer", |answer| {
        let reason = one_line(&answer.reason);
        let reason = if reason.is_empty() { "no reason given".to_owned() } else { reason };
        let text = format!(
            "{} (verdict {}, inference {}, {})",
            shorten(&reason, 400),
            answer.verdict_id,
            shorten(&one_line(&answer.event_id), 100),
            utc(answer.at),
        );
        Item::new(&format!("{} {:.2}", answer.dimension, answer.score.get()), &text)
    })
}

/// What it costs; `None` when nothing is known.
pub(in crate::alert::message) fn cost(notice: &Notice) -> Option<String> {
    let Cost { per_hour, idle_per_hour } = notice.enrichment.cost?;
    let usd = |amount: MicroUsd| Quantity::UsdPerHour.show(amount.usd());
    let is_of_component = notice.component.is_some();
    let whose = if is_of_component { "The component" } else { "The endpoint" };
    let own = per_hour.map(|amount| format!("{whose} costs {}.", usd(amount)));
    let of_what = if is_of_component { "the endpoint" } else { "it" };
    let idle = idle_per_hour.map(|amount| format!("{} of {of_what} is idle.", usd(amount)));
    let parts: Vec<String> = own.into_iter().chain(idle).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// The alerts that were joined with this one: name and reading.
pub(in crate::alert::message) fn related(notice: &Notice) -> Vec<Item> {
    some(&notice.related, 10, "alert", |related| {
        let reading = related.reading.in_short();
        let since = related.firing_since.map(|since| format!("since {}", utc(since)));
        let text: Vec<String> =
            Some(reading).filter(|text| !text.is_empty()).into_iter().chain(since).collect();
        let name = format!("{} {}", severity_name(related.severity), related.rule);
        Item::new(&name, &if text.is_empty() { "no value".to_owned() } else { text.join(", ") })
    })
}

/// What could not be looked up, and why.
pub(in crate::alert::message) fn not_included(notice: &Notice) -> Vec<Item> {
    some(&notice.enrichment.not_included, 10, "part", |missing| {
        Item::new(missing.part.as_str(), &shorten(&one_line(&missing.why), 200))
    })
}

/// Annotations that say in words what is wrong.
const DESCRIPTIONS: [&str; 5] = ["summary", "description", "message", "reason", "text"];

/// What the rule's author, or CloudWatch, says of it; at any length.
pub(in crate::alert::message) fn described(notice: &Notice) -> Vec<String> {
    let texts = DESCRIPTIONS.iter().filter_map(|key| notice.alert.annotations.get(*key));
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        let line = one_line(text);
        if !line.is_empty() && !lines.contains(&line) {
            lines.push(line);
        }
    }
    // Such texts are written for the problem: of a recovery they would be false.
    let is_problem = notice.standing() == Meaning::Problem;
    let said = |line: String| if is_problem { line } else { format!("What the rule watches for: {line}") };
    lines.into_iter().map(said).collect()
}

/// The other annotations: without those that are said elsewhere.
pub(in crate::alert::message) fn annotations(notice: &Notice) -> Vec<Item> {
    let is_said = |key: &str| {
        DESCRIPTIONS.contains(&key) || ["runbook_url", "grafana_state_reason", "unit"].contains(&key)
    };
    let others: Vec<(&String, &String)> =
        notice.alert.annotations.iter().filter(|(key, _)| !is_said(key)).collect();
    some(&others, 20, "annotation", |(key, text)| Item::new(key, &shorten(&one_line(text), 600)))
}

/// All labels.
pub(in crate::alert::message) fn labels(notice: &Notice) -> Vec<Item> {
    let all: Vec<(&String, &String)> = notice.alert.labels.iter().collect();
    some(&all, 40, "label", |(key, text)| Item::new(key, &shorten(&one_line(text), 200)))
}

/// Where to look: what each address is, and the address. What is no address is left out.
pub(in crate::alert::message) fn links(notice: &Notice) -> Vec<(&'static str, &str)> {
    let links = &notice.alert.links;
    [
        ("Runbook", links.runbook.as_ref()),
        ("Dashboard", links.dashboard.as_ref()),
        ("Panel", links.panel.as_ref()),
        ("Silence", links.silence.as_ref()),
        ("Logs", notice.enrichment.logs.as_ref()),
        ("Rule", links.source.as_ref()),
    ]
    .into_iter()
    .filter_map(|(name, url)| Some((name, url?.as_str())))
    .filter(|(_, url)| is_address(url))
    .collect()
}
