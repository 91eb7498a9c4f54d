//! Grafana's default text.
//!
//! ```text
//! **Firing**
//!
//! Value: B=0.712, C=1
//! Labels:
//!  - alertname = Low Safety Score Alert
//! Annotations:
//!  - summary = Low safety_score detected
//! Source: https://...
//! Silence: https://...
//! ```
//!
//! More alerts follow after an empty line each, and a `**Resolved**` section after two. Old versions
//! have no `Value:` line, and 11.1 sends nothing behind it. An annotation can hold anything, also
//! text that looks like the next alert. What tells them apart is the silence address: Grafana writes
//! one below each alert, and it repeats the alert's labels.

use super::text::{self, Block, link_of, trim_blank};
use super::told::Told;
use super::{Context, Note, Reading};
use crate::alert::Family;

const FIRING: &str = "**Firing**";
const RESOLVED: &str = "**Resolved**";

/// Reads the text; `None` when it has no section of this form.
pub(super) fn read(text: &str, context: Context<'_>) -> Option<Reading> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let segments = segments(&lines);
    let first = segments.first()?;
    let mut notes = Vec::new();
    if lines[..first.heading].iter().any(|line| !line.trim().is_empty()) {
        notes.push(Note::TextLeftOut);
    }
    let mut groups = groups(&lines, &segments);
    let mut unfinished = None;
    // What a cut leaves at the end is whole only if the next alert's empty line is there.
    let is_end_whole = groups.last().is_some_and(|last| last.is_closed) && text.ends_with("\n\n");
    if context.is_cut && !is_end_whole {
        unfinished = groups.pop();
    }
    let mut alerts: Vec<_> = groups.iter().map(|group| told(group, &lines, context, &mut notes)).collect();
    let whole = alerts.len();
    if alerts.is_empty()
        && let Some(mut group) = unfinished
    {
        group.end -= usize::from(group.end - group.start > 1); // half a line
        alerts.push(told(&group, &lines, context, &mut notes));
    }
    let alerts: Vec<_> =
        alerts.into_iter().map(|told| told.into_alert(Family::GrafanaText, context, &mut notes)).collect();
    Some(Reading { family: Family::GrafanaText, alerts, whole, missing: 0, is_cut: context.is_cut, notes })
}

/// Lines from one place where an alert seems to begin to the next.
struct Segment {
    /// The heading's line; without one the first line.
    heading: usize,
    start: usize,
    end: usize,
    /// What the heading says, when there is one.
    is_resolved: Option<bool>,
}

/// One or more segments that are one alert.
struct Group {
    start: usize,
    end: usize,
    is_resolved: bool,
    /// Whether its own silence address ends it.
    is_closed: bool,
}

fn segments(lines: &[&str]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    let line = |number: usize| lines.get(number).map_or("", |line| line.trim_end());
    for number in 0..lines.len() {
        let is_resolved = match line(number) {
            FIRING => Some(false),
            RESOLVED => Some(true),
            _ => None,
        };
        let next = line(number + 1 + usize::from(line(number + 1).is_empty()));
        let begins = next.starts_with("Value:") || next == "Labels:";
        let (first, start) = if is_resolved.is_some() && begins {
            (number, number + 1 + usize::from(line(number + 1).is_empty()))
        } else if !segments.is_empty()
            && line(number).is_empty()
            && starts_alert(line(number + 1), line(number + 2))
        {
            (number + 1, number + 1)
        } else {
            continue;
        };
        // The line below a heading is found twice.
        if segments.last().is_some_and(|last| last.start == start) {
            continue;
        }
        if let Some(last) = segments.last_mut() {
            last.end = first;
        }
        segments.push(Segment { heading: first, start, end: lines.len(), is_resolved });
    }
    segments
}

fn starts_alert(first: &str, second: &str) -> bool {
    first == "Labels:" || (first.starts_with("Value:") && second == "Labels:")
}

/// Joins segments that only an annotation's text divides.
fn groups(lines: &[&str], segments: &[Segment]) -> Vec<Group> {
    let has_silences = segments.iter().any(|segment| ends_in_silence(&lines[segment.start..segment.end]));
    let mut groups: Vec<Group> = Vec::new();
    let mut first = 0;
    // A heading counts only where an alert begins: others are an annotation's.
    let mut is_resolved = false;
    for (number, segment) in segments.iter().enumerate() {
        let own = &segments[first];
        let lines_so_far = &lines[own.start..segment.end];
        let is_last = number + 1 == segments.len();
        let is_closed = has_silences
            && (is_last || ends_in_silence(&lines[segment.start..segment.end]))
            && is_silence_of(lines_so_far, &lines[own.start..own.end]);
        if is_closed || !has_silences {
            is_resolved = own.is_resolved.unwrap_or(is_resolved);
            groups.push(Group { start: own.start, end: segment.end, is_resolved, is_closed });
            first = number + 1;
        }
    }
    // Nothing closes these: better one alert too many than one too few.
    for own in &segments[first..] {
        is_resolved = own.is_resolved.unwrap_or(is_resolved);
        groups.push(Group { start: own.start, end: own.end, is_resolved, is_closed: false });
    }
    groups
}

/// Whether a silence address is among the links at the end.
fn ends_in_silence(lines: &[&str]) -> bool {
    let trailing = trim_blank(lines).iter().rev().map_while(|line| link_of(line));
    trailing.take(4).any(|link| link == 1)
}

/// Whether the silence address at the end of `lines` is about the alert that begins in `start`.
fn is_silence_of(lines: &[&str], start: &[&str]) -> bool {
    let silence = Block::read(&lines[lines.len().saturating_sub(8)..]).silence();
    if silence.labels.is_empty() {
        return silence.rule_uid.is_some();
    }
    let labels = Block::read(start).labels;
    // A value of several lines is known by its first.
    labels.iter().filter(|(name, _)| !["alertname", "grafana_folder"].contains(&name.as_str())).all(
        |(name, value)| {
            let first_line = value.split('\n').next().unwrap_or_default();
            silence.labels.iter().any(|(of, matcher)| of == name && matcher.starts_with(first_line))
        },
    )
}

fn told<'a>(group: &Group, lines: &[&'a str], context: Context<'_>, notes: &mut Vec<Note>) -> Told<'a> {
    let mut block = Block::read(&lines[group.start..group.end]);
    if block.has_rest {
        notes.push(Note::TextLeftOut);
    }
    let silence = block.silence();
    if group.is_closed {
        block.reconcile(silence);
    }
    if !block.has_labels {
        notes.push(Note::SubjectOnly);
        let title = text::title(context.subject.unwrap_or_default());
        block.labels.insert("alertname".to_owned(), title.to_owned());
    }
    let [source, silence, dashboard, panel] = block.links;
    Told {
        is_resolved: group.is_resolved,
        labels: block.labels,
        annotations: block.annotations,
        values: block.values,
        source,
        silence,
        dashboard,
        panel,
        ..Told::default()
    }
}
