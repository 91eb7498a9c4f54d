//! The S3 key of a data-capture object.
//!
//! `<destination prefix>/<endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl`: the hour of the
//! invocation in UTC (SageMaker developer guide, "model-monitor-data-capture"). The prefix is
//! free, so a key is read from the right.

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;
use thiserror::Error;

use crate::names::EndpointName;

/// The variant name that the console, the SDKs and the samples give by default.
const DEFAULT_VARIANT: &str = "AllTraffic";

/// What the key of a capture object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureKey {
    /// The endpoint that was invoked.
    pub endpoint: EndpointName,
    /// The production variant.
    pub variant: String,
    /// The start of the hour of the invocation.
    pub hour: Timestamp,
}

/// Why a key is not that of a capture object: what was wrong, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}; a capture key ends with <endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl or .jsonl.gz")]
pub struct NotACaptureKey(String);

impl CaptureKey {
    /// Reads a key, already URL-decoded.
    ///
    /// One more segment than documented is passed over, because it is not ruled out that captures
    /// of inference components carry one. It is recognised in two places: between the hour and the
    /// file, and between a variant called `AllTraffic` and the year (so no endpoint may be called
    /// that). Anywhere else it looks exactly like a part of the prefix.
    pub fn parse(key: &str) -> Result<Self, NotACaptureKey> {
        let fail = |problem: &str| NotACaptureKey(problem.to_owned());
        let mut segments: Vec<&str> = key.split('/').collect();
        let file = segments.pop().unwrap_or_default();
        let stem = file.strip_suffix(".gz").unwrap_or(file).strip_suffix(".jsonl");
        if stem.is_none_or(str::is_empty) {
            return Err(fail("the file is not called <name>.jsonl"));
        }
        let date = take_date(&mut segments).or_else(|| {
            segments.pop();
            take_date(&mut segments)
        });
        let date = date.ok_or_else(|| fail("no hour yyyy/mm/dd/hh stands before the file"))?;
        let hour = timestamp(date).ok_or_else(|| fail("yyyy/mm/dd/hh before the file is no hour"))?;
        if let [.., _, DEFAULT_VARIANT, _] = segments.as_slice() {
            segments.pop();
        }
        let [.., endpoint, variant] = segments.as_slice() else {
            return Err(fail("endpoint and variant are missing before the year"));
        };
        let endpoint = endpoint.parse().map_err(|_| fail("the endpoint is no SageMaker name"))?;
        // Variants are named by the same rule as endpoints.
        if variant.parse::<EndpointName>().is_err() {
            return Err(fail("the variant is no SageMaker name"));
        }
        Ok(Self { endpoint, variant: (*variant).to_owned(), hour })
    }
}

/// Takes `yyyy/mm/dd/hh` off the end; `None`, with nothing taken, when the last four segments are
/// not so many digits.
fn take_date(segments: &mut Vec<&str>) -> Option<[i16; 4]> {
    let start = segments.len().checked_sub(4)?;
    let [year, month, day, hour] = segments[start..] else { return None };
    let date = [digits(year, 4)?, digits(month, 2)?, digits(day, 2)?, digits(hour, 2)?];
    segments.truncate(start);
    Some(date)
}

fn digits(text: &str, count: usize) -> Option<i16> {
    let right = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    right.then(|| text.parse().ok()).flatten()
}

fn timestamp([year, month, day, hour]: [i16; 4]) -> Option<Timestamp> {
    let small = |number: i16| i8::try_from(number).ok();
    let start = civil::DateTime::new(year, small(month)?, small(day)?, small(hour)?, 0, 0, 0).ok()?;
    Offset::UTC.to_timestamp(start).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATE: &str = "2026/01/07/22";

    fn parsed(key: &str) -> (String, String, String) {
        let key = CaptureKey::parse(key).unwrap_or_else(|error| panic!("{key}: {error}"));
        (key.endpoint.to_string(), key.variant, key.hour.to_string())
    }

    #[test]
    fn reads_any_prefix_file_name_and_one_extra_segment() {
        let expected = ("chat".to_owned(), "AllTraffic".to_owned(), "2026-01-07T22:00:00Z".to_owned());
        for key in [
            format!("chat/AllTraffic/{DATE}/18-03-869-500def08-452b-4cc6-8de3-b9e0436f5fee.jsonl"),
            format!("/chat/AllTraffic/{DATE}/a.jsonl"),
            format!("model-monitor/data-capture/chat/AllTraffic/{DATE}/a.jsonl.gz"),
            format!("AllTraffic/chat/AllTraffic/{DATE}/a.jsonl"),
            format!("2025/01/02/03/chat/AllTraffic/{DATE}/a.jsonl"),
            format!("chat/AllTraffic/{DATE}/gpt-oss-20b/a.jsonl"),
            format!("chat/AllTraffic/{DATE}/23/a.jsonl"),
            format!("p/chat/AllTraffic/gpt-oss-20b/{DATE}/a.jsonl"),
        ] {
            assert_eq!(parsed(&key), expected, "{key}");
        }
        assert_eq!(parsed(&format!("p/a/b/{DATE}/a.jsonl")).0, "a", "an own variant name");
    }

    #[test]
    fn says_what_is_wrong_and_what_would_be_right() {
        for (key, problem) in [
            ("chat/AllTraffic/2026/01/07/22/a.json".to_owned(), "file is not called"),
            ("chat/AllTraffic/2026/01/07/22/.jsonl".to_owned(), "file is not called"),
            (String::new(), "file is not called"),
            ("chat/AllTraffic/a.jsonl".to_owned(), "no hour"),
            ("abc123/sme/2026-01-07/a.jsonl".to_owned(), "no hour"),
            ("chat/AllTraffic/2026/1/07/22/a.jsonl".to_owned(), "no hour"),
            ("chat/AllTraffic/2026/02/30/22/a.jsonl".to_owned(), "is no hour"),
            ("chat/AllTraffic/2026/02/03/24/a.jsonl".to_owned(), "is no hour"),
            (format!("AllTraffic/{DATE}/a.jsonl"), "are missing"),
            (format!("{DATE}/a.jsonl"), "are missing"),
            (format!("ch_at/AllTraffic/{DATE}/a.jsonl"), "the endpoint"),
            (format!("chat/All Traffic/{DATE}/a.jsonl"), "the variant"),
        ] {
            let error = CaptureKey::parse(&key).unwrap_err().to_string();
            assert!(
                error.contains(problem) && error.contains("yyyy/mm/dd/hh/<file>.jsonl"),
                "{key}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(key in ".{0,120}") {
            let _ = CaptureKey::parse(&key);
        }

        #[test]
        fn a_key_gives_back_its_parts(
            prefix in "([a-z0-9._-]{1,12}/){0,3}",
            endpoint in "[a-zA-Z][a-zA-Z0-9]{0,20}(-[a-zA-Z0-9]{1,10})?",
            variant in "[b-z][a-z0-9]{0,20}",
            second in 0_i64..4_000_000_000,
            file in "[a-zA-Z0-9-]{1,40}",
        ) {
            prop_assume!(endpoint != DEFAULT_VARIANT);
            let hour = Timestamp::from_second(second / 3600 * 3600).unwrap();
            let key = format!("{prefix}{endpoint}/{variant}/{}/{file}.jsonl", hour.strftime("%Y/%m/%d/%H"));
            let parsed = CaptureKey::parse(&key).unwrap();
            prop_assert_eq!(parsed.endpoint.as_str(), endpoint);
            prop_assert_eq!(parsed.variant, variant);
            prop_assert_eq!(parsed.hour, hour);
        }
    }
}
