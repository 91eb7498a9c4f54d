//! Where something other than AWS is called.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// An address that may be called: `https`, or `http` to this machine. What stands behind the host
/// may be a secret, as in a Slack webhook, and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why a text is no [`Address`]. The text may be a secret and is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAnAddress {
    /// Neither `https://host...` nor `http://` to loopback.
    #[error("the address must start with https:// (http:// is for 127.0.0.1, [::1] and localhost only)")]
    Scheme,
    /// There is no host, or it is not one.
    #[error("the address has no host")]
    Host,
    /// White space, control characters, a fragment or a name and password.
    #[error("the address must hold no white space, no '#' and no user name")]
    Characters,
}

impl Address {
    /// Reads an address without `#fragment`.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let (is_secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err(NotAnAddress::Scheme),
        };
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte);
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if !rest.bytes().all(is_plain) || authority.contains('@') {
            return Err(NotAnAddress::Characters);
        }
        let host = host_of(authority).ok_or(NotAnAddress::Host)?;
        if is_secure || is_loopback(host) { Ok(Self(text.to_owned())) } else { Err(NotAnAddress::Scheme) }
    }

    /// This address with `path` behind its own: `https://slack.com/api` and `chat.postMessage` give
    /// `https://slack.com/api/chat.postMessage`.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self(format!("{}/{path}", self.0.trim_end_matches('/')))
    }

    /// Scheme, host and port: what may be shown.
    pub fn origin(&self) -> &str {
        let start = self.0.find("://").map_or(0, |scheme| scheme + 3);
        let end = self.0[start..].find(['/', '?']).map_or(self.0.len(), |end| start + end);
        &self.0[..end]
    }

    /// The whole, where nothing in it is a secret.
    pub fn shown(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({}/...)", self.origin())
    }
}

fn host_of(authority: &str) -> Option<&str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let is_right =
            host.parse::<IpAddr>().is_ok() && (port.is_empty() || is_port(port.strip_prefix(':')?));
        return is_right.then_some(host);
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let is_name =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    (is_name && port.is_none_or(is_port)).then_some(host)
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in [
            "https://slack.com/api",
            "https://events.eu.pagerduty.com",
            "https://api.atlassian.com/jsm/ops/integration/v2",
            "https://hooks.example.com:8443/a?b=c%20d",
            "http://127.0.0.1:4566/x",
            "http://localhost",
            "http://[::1]:80/",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        let bad = [
            ("http://slack.com/api", NotAnAddress::Scheme),
            ("http://127.0.0.1.example.com", NotAnAddress::Scheme),
            ("http://localhost.example.com", NotAnAddress::Scheme),
            ("http://10.0.0.1/", NotAnAddress::Scheme),
            ("ftp://x", NotAnAddress::Scheme),
            ("slack.com", NotAnAddress::Scheme),
            ("", NotAnAddress::Scheme),
            ("https://", NotAnAddress::Host),
            ("https:///path", NotAnAddress::Host),
            ("https://host:port/", NotAnAddress::Host),
            ("https://host:0/", NotAnAddress::Host),
            ("https://[::1/", NotAnAddress::Host),
            ("https://user:word@host/", NotAnAddress::Characters),
            ("http://127.0.0.1@evil.example/", NotAnAddress::Characters),
            ("https://host/a b", NotAnAddress::Characters),
            ("https://host/\r\nx: y", NotAnAddress::Characters),
            ("https://host/#part", NotAnAddress::Characters),
            ("https://hüst/", NotAnAddress::Characters),
        ];
        for (text, problem) in bad {
            assert_eq!(Address::parse(text).unwrap_err(), problem, "{text}");
        }
    }

    #[test]
    fn only_the_host_is_shown() {
        let address = Address::parse("https://hooks.slack.com/services/T0/B0/quokka?x=quokka").unwrap();
        assert_eq!(format!("{address:?}"), "Address(https://hooks.slack.com/...)");
        let address = Address::parse("https://slack.com/api/").unwrap();
        assert_eq!(address.join("chat.update").as_str(), "https://slack.com/api/chat.update");
    }
}
