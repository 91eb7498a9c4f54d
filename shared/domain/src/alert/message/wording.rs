//! What is said, before it gets a form. Every function here returns plain text in which whatever
//! came from outside is on one line.

use std::fmt::Write as _;

use super::outside::one_line;
use super::time::{duration, utc};
use crate::alert::notice::{Notice, Occasion, Reading};
use crate::alert::{Family, Meaning, Severity, StateReason};

mod details;

pub(super) use details::{
    Item, annotations, cost, described, labels, links, not_included, now, related, worst,
};

/// The first line of every message: how bad, where, what, and the number against its limit, such
/// as `CRITICAL gpt-oss-20b: Low safety score (0.71, fires below 0.80)`.
pub fn headline(notice: &Notice) -> String {
    headline_within(notice, usize::MAX)
}

/// The same in at most `limit` characters: the rule's name gives way before the numbers do.
pub(super) fn headline_within(notice: &Notice, limit: usize) -> String {
    let mut start = state(notice);
    if let Some(place) = place(notice) {
        let _ = write!(start, " {place}");
    }
    let remarks = remarks(notice);
    let end = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
    let rule = rule(notice);
    let fixed = units(&start) + 2 + units(&end);
    let line = match limit.checked_sub(fixed) {
        Some(room) if room >= 12 => format!("{start}: {}{end}", shorten(&rule, room)),
        _ => format!("{start}: {rule}{end}"),
    };
    shorten(&line, limit).into_owned()
}

fn state(notice: &Notice) -> String {
    match notice.standing() {
        Meaning::Problem => severity_name(notice.classification.severity).to_uppercase(),
        Meaning::Blind => "BLIND".to_owned(),
        Meaning::Recovered => "RECOVERED".to_owned(),
        Meaning::WentSilent => "WENT SILENT".to_owned(),
    }
}

fn place(notice: &Notice) -> Option<String> {
    let component = notice.component.as_ref().map(ToString::to_string);
    component.or_else(|| notice.endpoint.as_ref().map(ToString::to_string))
}

/// The rule's name, or what stands for it.
pub(super) fn rule(notice: &Notice) -> String {
    let rule = one_line(&notice.alert.rule);
    if rule.is_empty() { "alert without a name".to_owned() } else { rule }
}

/// What stands in brackets behind the first line.
fn remarks(notice: &Notice) -> Vec<String> {
    let reading = &notice.reading;
    let fired = notice.fired.as_ref().and_then(|fired| fired.reading.shown_value());
    let limit = reading.shown_limit().map(|limit| format!("fires {limit}"));
    let mut remarks = Vec::new();
    match notice.standing() {
        Meaning::Problem => {
            remarks.extend(Some(reading.in_short()).filter(|text| !text.is_empty()));
        }
        Meaning::Blind => {
            remarks.push(silence(notice.state_reason()).to_owned());
            remarks.push(severity_name(notice.classification.severity).to_owned());
        }
        Meaning::Recovered => {
            // The value of the firing, repeated, is not what it is now.
            let now = reading.shown_value().filter(|now| fired.as_ref() != Some(now));
            remarks.extend(now.map(|value| format!("now {value}")));
            remarks.extend(fired.map(|value| format!("was {value}")));
            remarks.extend(limit);
        }
        Meaning::WentSilent => {
            remarks.push(silence(notice.state_reason()).to_owned());
            remarks.extend(fired.map(|value| format!("last {value}")));
            remarks.extend(limit);
        }
    }
    match notice.occasion {
        Occasion::Raised { from } => remarks.push(format!("raised from {}", severity_name(from))),
        Occasion::Lowered { from } => remarks.push(format!("lowered from {}", severity_name(from))),
        Occasion::Reopened => remarks.push("again".to_owned()),
        Occasion::Repeated => remarks.push("still firing".to_owned()),
        Occasion::Settled => remarks.push("not flapping any more".to_owned()),
        Occasion::Flapping { .. } => remarks.push("flapping".to_owned()),
        Occasion::Joined if !notice.related.is_empty() => {
            remarks.push(format!("with {}", count(notice.related.len() as u64, "related alert")));
        }
        _ => {}
    }
    remarks
}

/// Why nothing is measured, in two or three words.
fn silence(reason: Option<StateReason>) -> &'static str {
    match reason {
        Some(StateReason::NoData) => "no data",
        Some(StateReason::Error) => "query fails",
        Some(StateReason::MissingSeries) => "series is gone",
        Some(StateReason::Paused) => "rule paused",
        Some(StateReason::RuleDeleted) => "rule deleted",
        Some(StateReason::Updated) => "rule changed",
        Some(StateReason::Other) | None => "not measured",
    }
}

/// What is wrong, in one or two sentences.
pub(super) fn sentence(notice: &Notice) -> String {
    let reading = &notice.reading;
    let was = notice.fired.as_ref().and_then(|fired| fired.reading.shown_value());
    match notice.standing() {
        Meaning::Problem if notice.alert.family == Family::Unknown && reading.value.is_none() => {
            "A message in no form that Assay knows. What it says stands below.".to_owned()
        }
        Meaning::Problem => problem(reading),
        Meaning::Blind => match notice.state_reason() {
            Some(StateReason::Error) => {
                "The rule's query fails, so nobody can tell whether something is wrong.".to_owned()
            }
            _ => "The rule gets no data, so nobody can tell whether something is wrong.".to_owned(),
        },
        Meaning::Recovered => recovered(reading, was.as_deref()),
        Meaning::WentSilent => went_silent(notice.state_reason(), reading, was.as_deref()),
    }
}

fn subject(reading: &Reading) -> String {
    let metric = reading.metric.as_deref().map(one_line).filter(|metric| !metric.is_empty());
    metric.map_or_else(|| "The value".to_owned(), |metric| shorten(&metric, 200).into_owned())
}

fn problem(reading: &Reading) -> String {
    let subject = subject(reading);
    match (reading.shown_value(), reading.shown_limit()) {
        (Some(value), Some(limit)) => format!("{subject} is {value}; the rule fires {limit}."),
        (Some(value), None) => format!("{subject} is {value}; the message names no limit."),
        (None, Some(limit)) => format!("The message carries no value; the rule fires {limit}."),
        (None, None) => "The message carries neither a value nor a limit.".to_owned(),
    }
}

fn recovered(reading: &Reading, was: Option<&str>) -> String {
    let subject = subject(reading);
    let limit = reading.shown_limit().map(|limit| format!(" The rule fires {limit}.")).unwrap_or_default();
    match (reading.shown_value(), was) {
        (Some(value), Some(was)) if value == was => {
            format!("{subject} was {was} while it fired; the message of the end repeats that value.{limit}")
        }
        (Some(value), Some(was)) => format!("{subject} is {value}; it was {was} while it fired.{limit}"),
        (Some(value), None) => format!("{subject} is {value}.{limit}"),
        (None, Some(was)) => {
            format!("{subject} was {was} while it fired; the message carries no value.{limit}")
        }
        (None, None) => format!("The rule does not fire any more; the message carries no value.{limit}"),
    }
}

fn went_silent(reason: Option<StateReason>, reading: &Reading, was: Option<&str>) -> String {
    let because = match reason {
        Some(StateReason::NoData) => "the rule gets no data",
        Some(StateReason::Error) => "the rule's query fails",
        Some(StateReason::MissingSeries) => "its series is gone",
        Some(StateReason::Paused) => "the rule was paused",
        Some(StateReason::RuleDeleted) => "the rule was deleted",
        Some(StateReason::Updated) => "the rule was changed",
        Some(StateReason::Other) | None => "nothing is measured any more",
    };
    let mut text =
        format!("The alert stopped because {because}. That is no recovery: nobody knows whether it is well.");
    if let Some(was) = was {
        let _ = write!(text, " The last value was {was}.");
    }
    if let Some(limit) = reading.shown_limit() {
        let _ = write!(text, " The rule fires {limit}.");
    }
    text
}

/// What is new about it, where the first line does not say it all.
pub(super) fn occasion(notice: &Notice) -> Option<String> {
    let severity = severity_name(notice.classification.severity);
    match notice.occasion {
        Occasion::Opened | Occasion::Recovered | Occasion::WentSilent { .. } => None,
        Occasion::Raised { from } => Some(format!("Raised from {} to {severity}.", severity_name(from))),
        Occasion::Lowered { from } => Some(format!("Lowered from {} to {severity}.", severity_name(from))),
        Occasion::Reopened => Some("It had stopped and fires again.".to_owned()),
        Occasion::Missed => Some("It fired and is over; that it fired is known only now.".to_owned()),
        Occasion::Settled => Some("It does not flap any more; changes are told one by one again.".to_owned()),
        Occasion::Repeated => Some("Still firing.".to_owned()),
        Occasion::Flapping { changes, minutes } => Some(format!(
            "It changed {changes} times in {minutes} min. Single changes are held back until it settles."
        )),
        Occasion::Joined => Some(format!(
            "Joined with {} on the same component.",
            if notice.related.is_empty() {
                "other alerts".to_owned()
            } else {
                count(notice.related.len() as u64, "related alert")
            }
        )),
    }
}

/// `Why critical: the reason`. An alert that ended is called by the highest severity that it had.
pub(super) fn why(notice: &Notice) -> String {
    let fired = notice.fired.as_ref().map(|fired| fired.severity);
    let ended = matches!(notice.standing(), Meaning::Recovered | Meaning::WentSilent);
    let severity = fired.filter(|_| ended).unwrap_or(notice.classification.severity);
    let reason = one_line(&notice.classification.reason);
    let reason = if reason.is_empty() { "no reason given".to_owned() } else { reason };
    let start = if ended { "It was called" } else { "Why" };
    format!("{start} {}: {}", severity_name(severity), shorten(&reason, 500))
}

/// Since when, and how long. `date` writes a point in time.
pub(super) fn since(notice: &Notice, date: impl Fn(jiff::Timestamp) -> String) -> String {
    let mut text = match (notice.firing_since, notice.ended_at) {
        (Some(start), Some(end)) => format!("Fired from {} to {}", date(start), date(end)),
        (Some(start), None) if notice.standing() == Meaning::Blind => format!("Blind since {}", date(start)),
        (Some(start), None) => format!("Firing since {}", date(start)),
        (None, Some(end)) => format!("Ended {}; the message does not say when it began", date(end)),
        (None, None) => "The message does not say since when".to_owned(),
    };
    if let Some(length) = notice.duration() {
        let _ = write!(text, " ({})", duration(length));
    }
    if notice.repeats > 0 {
        let _ = write!(text, "; repeated {}", count(notice.repeats.into(), "time"));
    }
    text.push('.');
    text
}

/// [`since`] with times in UTC.
pub(super) fn since_in_utc(notice: &Notice) -> String {
    since(notice, utc)
}

/// `1 alert`, `2 alerts`.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// As a person reads it.
pub(super) fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Critical => "critical",
    }
}

pub(super) use super::limits::{shorten, units};
