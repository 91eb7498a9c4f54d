//! Which Grafana it is, and what follows from that.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of Grafana: `10.4`, `12.4.2`, `13.0.0-pre`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrafanaVersion {
    major: u16,
    minor: u16,
}

/// Why a text names no version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no version of Grafana; 9.4 or 12.4.2 would be one")]
pub struct NotAVersion(pub String);

impl FromStr for GrafanaVersion {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let number = |part: &str| {
            let digits = part.find(|letter: char| !letter.is_ascii_digit()).map_or(part, |end| &part[..end]);
            digits.parse().ok()
        };
        let mut parts = text.trim().split('.');
        let major = parts.next().and_then(number);
        let minor = parts.next().map_or(Some(0), number);
        major
            .zip(minor)
            .map(|(major, minor)| Self { major, minor })
            .ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

impl fmt::Display for GrafanaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl GrafanaVersion {
    /// The oldest that reads the dashboards, has service accounts and takes rules.
    pub const OLDEST: Self = Self { major: 9, minor: 4 };

    /// Whether unified alerting can be off. Grafana 11 has no other alerting.
    pub const fn can_lack_alerting(self) -> bool {
        self.major < 11
    }

    /// Whether each open dimension of a rule's query gets a label of its own (grafana#79809). Before,
    /// all of them get the text of the first, and a rule can watch one endpoint only.
    pub const fn tells_dimensions_apart(self) -> bool {
        self.major >= 11
    }

    /// Whether a rule can name its contact point, so that the shared policy is left alone.
    pub const fn routes_by_rule(self) -> bool {
        self.major >= 12
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> GrafanaVersion {
        text.parse().unwrap()
    }

    #[test]
    fn reads_what_grafana_and_aws_say() {
        for (text, shown) in [
            ("10.4", "10.4"),
            ("12.4.2", "12.4"),
            ("13.0.0-pre", "13.0"),
            ("9", "9.0"),
            ("11.6.0+security-01", "11.6"),
            ("13-beta", "13.0"),
        ] {
            assert_eq!(version(text).to_string(), shown, "{text}");
        }
        for wrong in ["", "latest", "v10.4", "10.x", "99999999.1"] {
            assert!(wrong.parse::<GrafanaVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_differ_in_what_they_can() {
        assert!(version("8.4") < GrafanaVersion::OLDEST && version("9.4") >= GrafanaVersion::OLDEST);
        assert!(version("10.4").can_lack_alerting() && !version("11.0").can_lack_alerting());
        assert!(!version("10.4").tells_dimensions_apart() && version("12.4").tells_dimensions_apart());
        assert!(!version("11.6").routes_by_rule() && version("13.0").routes_by_rule());
    }
}
