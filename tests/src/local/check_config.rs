//! `local check-config`: what is wrong with the settings files, before they are deployed; and what
//! the rules make of the alerts in an event.

use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};

use domain::alert::parse::{open_text, parse};
use domain::alert::rules::{Destination, DestinationKind, DestinationName, Measured, Rules, SUPPLIED};
use domain::fleet::Fleet;
use domain::rubric::Rubric;
use domain::settings::Mistakes;
use jiff::Timestamp;

use crate::failure::{During, Failure, Outcome};
use crate::project;

/// Checks the files in `folder` (`config/`), and explains `event` when there is one. A file that is
/// not there is the shipped one, as in `CONFIG_URI`.
///
/// # Errors
/// All mistakes in all files.
pub fn check_config(folder: &str, event: Option<&str>) -> Outcome<()> {
    let mut report = String::new();
    let mut mistakes = Vec::new();
    let mut note = |result: Result<(), Mistakes>, file: &str| match result {
        Ok(()) => {
            let _ = writeln!(report, "{file} is right");
        }
        Err(found) => mistakes.push(found.to_string()),
    };
    note(read(folder, "rubric.toml", |name, text| Rubric::from_toml(name, text).map(drop))?, "rubric.toml");
    note(read(folder, "fleet.toml", |name, text| Fleet::from_toml(name, text).map(drop))?, "fleet.toml");
    let mut rules = None;
    let alerts = read(folder, "alerts.toml", |name, text| {
        rules = Some(with_supplied(Rules::from_toml(name, text)?)?);
        Ok(())
    })?;
    note(alerts, "alerts.toml");
    if !mistakes.is_empty() {
        return Err(Failure(mistakes.join("\n\n")));
    }
    if let (Some(event), Some(rules)) = (event, rules) {
        report.push_str(&explained(&rules, event)?);
    }
    stdout().write_all(report.as_bytes()).during("write to standard output")
}

/// As if the stack's parameters configured everything that they can.
fn with_supplied(rules: Rules) -> Result<Rules, Mistakes> {
    let is_missing = |name: &DestinationName| rules.destination(name).is_none();
    let topic_arn = "arn:aws:sns:us-east-1:123456789012:any".to_owned();
    let destination =
        |name| Destination { name, kind: DestinationKind::AmazonQ { topic_arn: topic_arn.clone() } };
    let names = SUPPLIED.iter().filter_map(|name| DestinationName::new(name)).filter(is_missing);
    let supplied = names.map(destination).collect();
    rules.with_destinations(supplied)
}

fn read(
    folder: &str,
    name: &str,
    check: impl FnOnce(&str, &str) -> Result<(), Mistakes>,
) -> Outcome<Result<(), Mistakes>> {
    let path = project::root().join(folder).join(name);
    let shipped = project::root().join("config").join(name);
    let path = if path.exists() { path } else { shipped };
    let text = fs::read_to_string(&path).during(format!("read {}", path.display()))?;
    Ok(check(&path.display().to_string(), &text))
}

/// What the rules make of each alert by itself: nothing is remembered of others, and no numbers of
/// now are looked up. What the stack's parameters can configure counts as configured.
fn explained(rules: &Rules, event: &str) -> Outcome<String> {
    let text = fs::read_to_string(project::root().join(event)).during(format!("read {event}"))?;
    let mut report = String::new();
    for delivery in open_text(&text) {
        let delivery = delivery.during(format!("read {event}"))?;
        let parsed = parse(&delivery);
        let notes: Vec<&str> = parsed.notes.iter().map(|note| note.as_str()).collect();
        let _ = write!(report, "\n{:?}: {} alerts, {} lost", parsed.family, parsed.alerts.len(), parsed.lost);
        let _ = writeln!(report, "{}{}", if notes.is_empty() { "" } else { "; " }, notes.join(", "));
        for alert in &parsed.alerts {
            let _ = writeln!(report, "\n{}", rules.explain(alert, &Measured::new(), &[], Timestamp::now()));
        }
    }
    Ok(report)
}
