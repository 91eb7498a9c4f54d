//! Plain text: for e-mail, and for a service that refused a message with more form.

use super::limits::shorten;
use super::outside::one_line;
use super::time::utc;
use super::wording::{
    Item, annotations, cost, count, described, headline, headline_within, labels, links, not_included, now,
    occasion, related, sentence, severity_name, since_in_utc, why, worst,
};
use crate::alert::notice::{Notice, StormSummary};

/// Everything, the most important first: whatever has to be cut, cut at the end.
pub fn notice(notice: &Notice) -> String {
    let mut text = format!("{}\n\n{}\n", headline(notice), sentence(notice));
    let mut line = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    for described in described(notice) {
        line(&format!("> {}", shorten(&described, 2_000)));
    }
    if let Some(occasion) = occasion(notice) {
        line(&occasion);
    }
    line(&since_in_utc(notice));
    line(&why(notice));
    if let Some(component) = &notice.component {
        line(&format!("Component: {component}"));
    }
    if let Some(endpoint) = &notice.endpoint {
        line(&format!("Endpoint: {endpoint}"));
    }
    if let Some(cost) = cost(notice) {
        line(&cost);
    }
    let missing = not_included(notice);
    if !missing.is_empty() {
        line(&format!("Not included: {}", in_brackets(&missing)));
    }
    let addresses: Vec<String> =
        links(notice).into_iter().map(|(name, url)| format!("{name}: {url}\n")).collect();
    section(&mut text, &addresses);
    for (title, items) in [
        ("Related alerts:", related(notice)),
        ("Now:", now(notice)),
        ("Worst recent answers, by the judge:", worst(notice)),
        ("Annotations:", annotations(notice)),
        ("Labels:", labels(notice)),
    ] {
        list(&mut text, title, &items);
    }
    text
}

/// Of a storm.
pub fn storm(storm: &StormSummary) -> String {
    let mut text = format!("{}\n\n{}\n", storm_headline(storm), storm_sentence(storm));
    let top: Vec<String> =
        storm.top_components.iter().map(|(name, alerts)| format!("- {name}: {alerts}\n")).collect();
    if !top.is_empty() {
        section(&mut text, &["Most alerts:\n".to_owned()]);
        text.push_str(&top.concat());
    }
    let lines: Vec<String> =
        storm.first_lines.iter().map(|line| format!("- {}\n", shorten(&one_line(line), 300))).collect();
    if !lines.is_empty() {
        section(&mut text, &["The worst:\n".to_owned()]);
        text.push_str(&lines.concat());
    }
    text
}

/// The subject of an e-mail through SNS: ASCII, at most 100 characters.
pub fn subject(notice: &Notice) -> String {
    let ascii = |character: char| match character {
        '…' => "...".to_owned(),
        _ if character.is_ascii_graphic() || character == ' ' => character.to_string(),
        _ => "?".to_owned(),
    };
    // An ellipsis takes two places more in ASCII, and there are two at most.
    headline_within(notice, 96).chars().map(ascii).collect()
}

/// The first line of a storm: `CRITICAL: 42 alerts on 7 components within 55 s`.
pub(super) fn storm_headline(storm: &StormSummary) -> String {
    let place = if storm.components > 0 {
        format!(" on {}", count(storm.components.into(), "component"))
    } else {
        String::new()
    };
    let length = super::time::duration(storm.until.duration_since(storm.from));
    format!(
        "{}: {}{place} within {length}",
        severity_name(storm.worst()).to_uppercase(),
        count(storm.alerts, "alert"),
    )
}

/// How many of each severity, and what became of the single messages.
pub(super) fn storm_sentence(storm: &StormSummary) -> String {
    let more = Some(storm.more()).filter(|more| *more > 0).map(|more| format!("{more} more"));
    let counts: Vec<String> = storm
        .by_severity
        .iter()
        .rev()
        .map(|(severity, alerts)| format!("{alerts} {}", severity_name(*severity)))
        .chain(more)
        .collect();
    format!(
        "{}. Told as one on route {} since {}; incidents on pagers are still opened one by one.",
        if counts.is_empty() { "No alerts".to_owned() } else { counts.join(", ") },
        shorten(&one_line(&storm.route), 100),
        utc(storm.from),
    )
}

/// `worst answers (timed out), cost (no data)`
pub(super) fn in_brackets(items: &[Item]) -> String {
    let shown = |item: &Item| {
        if item.text.is_empty() { item.name.clone() } else { format!("{} ({})", item.name, item.text) }
    };
    items.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn list(text: &mut String, title: &str, items: &[Item]) {
    if items.is_empty() {
        return;
    }
    section(text, &[format!("{title}\n")]);
    for Item { name, text: said } in items {
        text.push_str("- ");
        text.push_str(name);
        if !said.is_empty() {
            text.push_str(": ");
            text.push_str(said);
        }
        text.push('\n');
    }
}

fn section(text: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        text.push('\n');
        text.push_str(&lines.concat());
    }
}
