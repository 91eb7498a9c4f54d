//! The default text of Alertmanager and Managed Prometheus: common annotations, then
//! `Alerts Firing:` and `Alerts Resolved:`, under each for every alert `Labels:`, `Annotations:`,
//! `Source: <url>`. Blank lines stand between the sections. The guide of Managed Prometheus prints
//! the template indented, and whoever copies it gets an indented text.

use super::text::{Block, trim_blank};
use super::told::Told;
use super::{Context, Reading};
use crate::alert::Family;

const FIRING: &str = "Alerts Firing:";
const RESOLVED: &str = "Alerts Resolved:";
const LABELS: &str = "Labels:";

/// Reads the text; `None` when it is not of this form.
pub(super) fn read(text: &str, context: Context<'_>) -> Option<Reading> {
    let lines = without_indent(text);
    let starts = starts(&lines);
    starts.first()?;
    let mut notes = Vec::new();
    let mut alerts = Vec::new();
    let ends = starts.iter().skip(1).map(|start| start.line).chain([lines.len()]);
    for (start, end) in starts.iter().zip(ends) {
        let is_last = end == lines.len();
        let mut own = &lines[start.line..end];
        if is_last && context.is_cut {
            if !alerts.is_empty() {
                break;
            }
            own = &own[..own.len().saturating_sub(1)];
        }
        // A heading of the next section is not the end of an annotation.
        let own = trim_blank(own);
        let own = own.strip_suffix(&[RESOLVED]).unwrap_or(own);
        let block = Block::read(own);
        let told = Told {
            is_resolved: start.is_resolved,
            labels: block.labels,
            annotations: block.annotations,
            source: block.links[0],
            ..Told::default()
        };
        alerts.push(told.into_alert(Family::Alertmanager, context, &mut notes));
    }
    let is_unfinished = context.is_cut && starts.len() == 1;
    let mut reading = Reading::whole(Family::Alertmanager, alerts, notes);
    reading.whole -= usize::from(is_unfinished);
    reading.is_cut = context.is_cut;
    Some(reading)
}

/// The lines, less the indent of the first heading: so deep is everything that the template itself
/// writes, only the first `Labels:` of a section is deeper.
fn without_indent(text: &str) -> Vec<&str> {
    let lines = || text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let heading = lines().find(|line| [FIRING, RESOLVED].contains(&line.trim_start()));
    let indent = heading.map_or("", |heading| &heading[..heading.len() - heading.trim_start().len()]);
    if indent.is_empty() {
        return lines().collect();
    }
    let less = |line| match str::trim_start(line) {
        LABELS => LABELS,
        _ => line.strip_prefix(indent).unwrap_or(line),
    };
    lines().map(less).collect()
}

struct Start {
    /// The line `Labels:`.
    line: usize,
    is_resolved: bool,
}

/// Where alerts begin: at `Labels:` behind a heading or behind the source of the alert before.
fn starts(lines: &[&str]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut is_resolved = None;
    let mut before = "";
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let is_behind_alert = before.starts_with("Source:");
        match *line {
            FIRING if starts.is_empty() => is_resolved = Some(false),
            RESOLVED if starts.is_empty() || is_behind_alert => is_resolved = Some(true),
            LABELS if before == FIRING || before == RESOLVED || is_behind_alert => {
                if let Some(is_resolved) = is_resolved {
                    starts.push(Start { line: number, is_resolved });
                }
            }
            _ => {}
        }
        before = line;
    }
    starts
}
