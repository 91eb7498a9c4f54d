//! Addresses: which of them are passed on, and what Grafana's tell about an alert.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::Note;

/// Grafana's links to a dashboard begin an hour before the alert.
const DASHBOARD_LEAD_MS: i64 = 3_600_000;

const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address, when it is an absolute `http` or `https` one without a password: only these are
/// shown to people as links. Notes when it is another; an empty one is none.
pub(super) fn checked(address: &str, notes: &mut Vec<Note>) -> Option<String> {
    let address = address.trim();
    if address.is_empty() {
        return None;
    }
    let is_clean = !address.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"`".contains(c));
    let is_whole = host(address).is_some_and(|host| !host.is_empty() && !host.contains('@'));
    if is_clean && is_whole {
        return Some(address.to_owned());
    }
    notes.push(Note::DroppedLink);
    None
}

/// Host and port of an absolute `http` or `https` address.
pub(super) fn host(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    is_web.then(|| &rest[..end])
}

/// The parameters of the query, decoded as a form is.
pub(super) fn query(address: &str) -> impl Iterator<Item = (String, String)> {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(name), form_decoded(value))
    })
}

/// What Grafana's address for a new silence repeats of the alert.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Silence {
    /// The hidden label `__alert_rule_uid__`. When it is there, `alertname` and `grafana_folder`
    /// are not among the labels, and all the others are.
    pub(super) rule_uid: Option<String>,
    pub(super) org: Option<String>,
    pub(super) labels: Vec<(String, String)>,
}

/// Reads `...?matcher=a%3Db&matcher=c%3Dd&orgId=1`, and the older `matchers=a%3Db%2Cc%3Dd`.
pub(super) fn silence(address: &str) -> Silence {
    let mut silence = Silence::default();
    for (name, value) in query(address) {
        match name.as_str() {
            "matcher" => silence.add(&value),
            // A comma also occurs in values: what follows is a matcher only if it has a sign.
            "matchers" => {
                let mut matcher = String::new();
                for part in value.split(',') {
                    if part.contains('=') {
                        silence.add(&std::mem::take(&mut matcher));
                    } else {
                        matcher.push(',');
                    }
                    matcher.push_str(part);
                }
                silence.add(&matcher);
            }
            "orgId" => silence.org = Some(value),
            _ => {}
        }
    }
    silence
}

impl Silence {
    fn add(&mut self, matcher: &str) {
        let Some((name, value)) = matcher.split_once('=') else { return };
        if name == "__alert_rule_uid__" {
            self.rule_uid = Some(value.to_owned());
        } else if !is_hidden(name) {
            self.labels.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// Whether Grafana keeps a label or annotation of this name to itself.
pub(super) fn is_hidden(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// The uid of the rule in `.../alerting/grafana/<uid>/view?orgId=1`.
pub(super) fn rule_uid(source: &str) -> Option<String> {
    let (_, path) = source.split_once("/alerting/grafana/")?;
    let (uid, _) = path.split_once("/view")?;
    (!uid.is_empty() && !uid.contains('/')).then(|| percent_decode_str(uid).decode_utf8_lossy().into_owned())
}

/// The organisation in `...?orgId=1`.
pub(super) fn org(address: &str) -> Option<String> {
    query(address).find(|(name, _)| name == "orgId").map(|(_, value)| value)
}

/// Start and end that a link to a dashboard spans. The end is the alert's only once it is resolved.
pub(super) fn span(dashboard: &str) -> (Option<Timestamp>, Option<Timestamp>) {
    let (mut start, mut end) = (None, None);
    for (name, value) in query(dashboard) {
        let slot = match name.as_str() {
            "from" => &mut start,
            "to" => &mut end,
            _ => continue,
        };
        *slot = value.parse::<i64>().ok().filter(|ms| *ms > 0);
    }
    let start = start.and_then(|ms| ms.checked_add(DASHBOARD_LEAD_MS));
    let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    (time(start), time(end))
}

/// The text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, PATH_SEGMENT).to_string()
}

fn form_decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_web_addresses_are_links() {
        for address in ["http://h", "https://h:3000/a?b=c#d", "HTTPS://h/", "https://[::1]/a"] {
            assert_eq!(checked(address, &mut Vec::new()).as_deref(), Some(address));
        }
        for address in [
            "javascript:alert(1)",
            "/alerting/list",
            "ftp://h/",
            "https://",
            "https:///path",
            "//h/a",
            "https://h/a b",
            "https://h/<!channel>",
            "https://user:secret@h/",
        ] {
            let mut notes = Vec::new();
            assert_eq!((checked(address, &mut notes), notes), (None, vec![Note::DroppedLink]), "{address}");
        }
        let mut notes = Vec::new();
        assert_eq!((checked(" ", &mut notes), notes.len()), (None, 0));
    }

    #[test]
    fn a_silence_repeats_the_labels() {
        let labels = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(
            silence(
                "https://h/grafana/alerting/silence/new?alertmanager=grafana\
                 &matcher=__alert_rule_uid__%3Du1&matcher=a%3Db+c%0Ad%3De&orgId=7"
            ),
            Silence {
                rule_uid: Some("u1".into()),
                org: Some("7".into()),
                labels: labels(&[("a", "b c\nd=e")])
            }
        );
        assert_eq!(
            silence("https://h/alerting/silence/new?matchers=alertname%3DA%2C+B%2Cc%3Dd").labels,
            labels(&[("alertname", "A, B"), ("c", "d")])
        );
        assert_eq!(silence("no address"), Silence::default());
    }

    #[test]
    fn a_dashboard_tells_when_the_alert_began() {
        let (start, end) = span("https://h/d/uid?from=1772442600000&orgId=1&to=1772447700000&viewPanel=2");
        assert_eq!(start.map(|time| time.to_string()).as_deref(), Some("2026-03-02T10:10:00Z"));
        assert_eq!(end.map(|time| time.to_string()).as_deref(), Some("2026-03-02T10:35:00Z"));
        assert_eq!(span("https://h/d/uid?from=now-1h&to=9223372036854775807"), (None, None));
        assert_eq!(span("https://h/d/uid?from=9223372036854775807"), (None, None));
    }

    #[test]
    fn the_source_names_the_rule() {
        assert_eq!(rule_uid("https://h/p/alerting/grafana/a%20b/view?orgId=1").as_deref(), Some("a b"));
        assert_eq!(rule_uid("https://prometheus/graph?g0.expr=x"), None);
    }
}
