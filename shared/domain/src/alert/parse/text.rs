//! What Grafana's and Alertmanager's default texts have in common: labels, annotations and links,
//! one a line; and what their default subject says.

use std::collections::BTreeMap;

use super::link::{self, Silence};

/// The links of one alert, in the order of Grafana's text.
const LINKS: [&str; 4] = ["Source: ", "Silence: ", "Dashboard: ", "Panel: "];

/// One alert of a text.
#[derive(Debug, Default)]
pub(super) struct Block<'a> {
    pub(super) values: BTreeMap<String, f64>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    /// As in [`LINKS`].
    pub(super) links: [&'a str; 4],
    /// Whether there are labels at all.
    pub(super) has_labels: bool,
    /// Whether lines stand behind the links.
    pub(super) has_rest: bool,
}

impl<'a> Block<'a> {
    /// Reads the lines from `Value:` or `Labels:` on. Whatever an annotation imitates, the real
    /// links are the last ones.
    pub(super) fn read(lines: &[&'a str]) -> Self {
        let end = lines.iter().rposition(|line| link_of(line).is_some()).map_or(lines.len(), |last| last + 1);
        let has_rest = lines[end..].iter().any(|line| !line.trim().is_empty());
        let mut block = Self { has_rest, ..Self::default() };
        let mut lines = block.take_links(&lines[..end]);
        if let [first, rest @ ..] = lines
            && let Some(values) = first.strip_prefix("Value:")
        {
            block.values = values_of(values);
            lines = rest;
        }
        let Some(labels) = lines.iter().position(|line| line.trim_end() == "Labels:") else { return block };
        let lines = &lines[labels + 1..];
        let annotations = lines.iter().position(|line| line.trim_end() == "Annotations:");
        let (labels, annotations) = match annotations {
            Some(at) => (&lines[..at], &lines[at + 1..]),
            None => (lines, &lines[..0]),
        };
        block.has_labels = true;
        block.labels = pairs(labels, |_, _| true);
        // Annotations come sorted: one out of order is a line of the one before.
        block.annotations = pairs(annotations, |before, name| before < name);
        block
    }

    /// Takes the links off the end; returns the lines before them.
    fn take_links<'b>(&mut self, lines: &'b [&'a str]) -> &'b [&'a str] {
        let mut lines = trim_blank(lines);
        for (slot, prefix) in self.links.iter_mut().zip(LINKS).rev() {
            if let [before @ .., last] = lines
                && let Some(address) = last.strip_prefix(prefix.trim_end())
            {
                *slot = address.trim();
                lines = before;
            }
        }
        lines
    }

    pub(super) fn silence(&self) -> Silence {
        link::silence(self.links[1])
    }

    /// Puts right the labels by the silence address, in which no value can be mistaken for layout.
    pub(super) fn reconcile(&mut self, silence: Silence) {
        if silence.rule_uid.is_some() {
            self.labels.retain(|name, _| name == "alertname" || name == "grafana_folder");
        }
        for (name, value) in silence.labels {
            if silence.rule_uid.is_some() || self.labels.contains_key(&name) {
                self.labels.insert(name, value);
            }
        }
    }
}

/// Which link a line is, by its place in [`LINKS`].
pub(super) fn link_of(line: &str) -> Option<usize> {
    LINKS.iter().position(|prefix| line.strip_prefix(prefix).is_some_and(|rest| link::host(rest).is_some()))
}

/// The lines without the blank ones at the end.
pub(super) fn trim_blank<'a, 'b>(lines: &'b [&'a str]) -> &'b [&'a str] {
    let end = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    &lines[..end]
}

/// Reads ` - name = value` lines. Other lines, and pairs whose name may not follow the one before,
/// belong to the value before.
fn pairs(lines: &[&str], may_follow: impl Fn(&str, &str) -> bool) -> BTreeMap<String, String> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for line in trim_blank(lines) {
        let new =
            pair(line).filter(|(name, _)| pairs.last().is_none_or(|(before, _)| may_follow(before, name)));
        if let Some((name, value)) = new {
            pairs.push((name, value.to_owned()));
        } else if let Some((_, value)) = pairs.last_mut() {
            value.push('\n');
            value.push_str(line);
        }
    }
    // What comes first is above whatever a later value imitates.
    pairs.reverse();
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Names hold no ` = `, values may.
fn pair(line: &str) -> Option<(&str, &str)> {
    let pair = line.strip_suffix('\r').unwrap_or(line).strip_prefix(" - ")?;
    pair.split_once(" = ").or_else(|| Some((pair.strip_suffix(" =")?, "")))
}

/// Reads `A=1234, B=5.6`; `[no value]` and what is no number give nothing.
fn values_of(text: &str) -> BTreeMap<String, f64> {
    let value = |item: &str| {
        let (name, value) = item.rsplit_once('=')?;
        let value = value.trim().parse().ok().filter(|value: &f64| value.is_finite())?;
        Some((name.trim().to_owned(), value))
    };
    text.split(',').filter_map(value).collect()
}

/// How many alerts a default subject says there are: `[FIRING:2, RESOLVED:1] ...`. A subject of
/// resolved alerts alone has no number.
pub(super) fn stated_alerts(subject: &str) -> Option<usize> {
    let (status, _) = subject.trim_start().strip_prefix('[')?.split_once(']')?;
    let mut parts = status.split(',').map(|part| part.trim().split_once(':'));
    parts.try_fold(0_usize, |sum, part| {
        let (name, count) = part?;
        let is_status = name.eq_ignore_ascii_case("firing") || name.eq_ignore_ascii_case("resolved");
        let count = count.trim().parse::<usize>().ok().filter(|count| is_status && *count < 1_000_000)?;
        Some(sum + count)
    })
}

/// What a subject says without its `[FIRING:1]`, `[RESOLVED]`, `[Alerting]`, `[OK]` before and its
/// other labels in brackets behind.
pub(super) fn title(subject: &str) -> &str {
    let subject = subject.trim();
    let behind_status = subject.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let title = behind_status.map_or(subject, |(_, title)| title).trim();
    let before_labels = title.split_once(" (").map_or(title, |(title, _)| title).trim();
    if before_labels.is_empty() { title } else { before_labels }
}

/// Whether a subject says in its bracket that all is over.
pub(super) fn says_resolved(subject: &str) -> bool {
    let status = subject.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    status.is_some_and(|(status, _)| ["resolved", "ok"].iter().any(|word| status.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_states_how_many_there_are() {
        for (subject, count) in [
            ("[FIRING:2, RESOLVED:1] Low score (x)", Some(3)),
            ("[FIRING:1]  (Low score)", Some(1)),
            ("[RESOLVED] Low score", None),
            ("[FIRING:x] Low score", None),
            ("[FIRING:99999999999999999999] Low score", None),
            ("FIRING:2", None),
            ("[backup:3] done", None),
        ] {
            assert_eq!(stated_alerts(subject), count, "{subject}");
        }
    }

    #[test]
    fn a_title_is_what_is_left_of_a_subject() {
        for (subject, expected) in [
            ("[FIRING:1] Low score safety (gpt warning)", "Low score safety"),
            ("[RESOLVED]  (Low score gpt)", "(Low score gpt)"),
            ("[Alerting] Low score", "Low score"),
            ("Low score", "Low score"),
            ("[FIRING:1]", ""),
        ] {
            assert_eq!(title(subject), expected, "{subject}");
        }
    }

    #[test]
    fn values_are_read_in_every_notation_of_go() {
        let values = values_of(" A=1234, B=5.6, C=1e-07, D=1e+21, E=NaN, F=+Inf, [no value]");
        let values: Vec<(&str, f64)> = values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(values, [("A", 1234.0), ("B", 5.6), ("C", 1e-7), ("D", 1e21)]);
    }
}
