//! Times as the families write them.

use jiff::Timestamp;

/// RFC 3339 (Grafana, Alertmanager), Go's `2026-03-02 10:10:00.5 +0000 UTC` with or without its
/// monotonic clock (Amazon Managed Prometheus' template), `CloudWatch`'s
/// `2015-06-03T17:43:27.123+0000`, also with blanks in it.
///
/// `None` for what is none of these, and for Go's zero time, which means "not yet".
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > 80 {
        return None;
    }
    let compact: String = if text.as_bytes().get(10) == Some(&b'T') {
        text.split_whitespace().collect()
    } else {
        let mut parts = text.split_whitespace();
        let (date, time, offset) = (parts.next()?, parts.next()?, parts.next().unwrap_or("Z"));
        format!("{date}T{time}{offset}")
    };
    compact.parse().ok().filter(|time| *time > Timestamp::UNIX_EPOCH)
}

/// Whether the text stands for no time, rather than for one that cannot be read.
pub(super) fn is_none(text: &str) -> bool {
    text.trim().is_empty() || text.trim_start().starts_with("0001-01-01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_time() {
        for text in [
            "2026-03-02T10:10:00.5Z",
            "2026-03-02T11:10:00.500000000+01:00",
            "2026-03-02T10:10:00.500+0000",
            "2026-03-02T10: 10: 00.500+0000",
            "2026-03-02 10:10:00.5 +0000 UTC",
            "2026-03-02 12:10:00.5 +0200 CEST m=+0.0001",
            " 2026-03-02 10:10:00.5 ",
        ] {
            assert_eq!(
                read(text).map(|time| time.to_string()).as_deref(),
                Some("2026-03-02T10:10:00.5Z"),
                "{text}"
            );
        }
    }

    #[test]
    fn no_time_is_none() {
        for text in
            ["", "soon", "0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC", "2026-13-02T10:10:00Z", "T"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(is_none("0001-01-01 00:00:00 +0000 UTC") && is_none(" ") && !is_none("soon"));
    }
}
