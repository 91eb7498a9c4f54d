//! The default text of Alertmanager and Managed Prometheus: common annotations, then
//! `Alerts Firing:` and `Alerts Resolved:`, under each for every alert `Labels:`, `Annotations:`,
//! `Source: <url>`.

use super::text::{Block, trim_blank};
use super::told::Told;
use super::{Context, Reading};
use crate::alert::Family;

const FIRING: &str = "Alerts Firing:";
const RESOLVED: &str = "Alerts Resolved:";

/// Reads the text; `None` when it is not of this form.
pub(super) fn read(text: &str, context: Context<'_>) -> Option<Reading> {
    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
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

struct Start {
    /// The line `Labels:`.
    line: usize,
    is_resolved: bool,
}

/// Where alerts begin: at `Labels:` behind a heading or behind the source of the alert before.
fn starts(lines: &[&str]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut is_resolved = None;
    for (number, line) in lines.iter().enumerate() {
        let before = number.checked_sub(1).map_or("", |before| lines[before]);
        let is_behind_alert = starts.is_empty() || before.starts_with("Source:");
        match *line {
            FIRING if starts.is_empty() => is_resolved = Some(false),
            RESOLVED if is_behind_alert => is_resolved = Some(true),
            "Labels:" if before == FIRING || before == RESOLVED || before.starts_with("Source:") => {
                if let Some(is_resolved) = is_resolved {
                    starts.push(Start { line: number, is_resolved });
                }
            }
            _ => {}
        }
    }
    starts
}
