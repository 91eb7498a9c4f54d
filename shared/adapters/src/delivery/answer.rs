//! What a service said to a message, and what follows from it.

use std::time::Duration;

use jiff::Timestamp;

/// How long to wait when a service asks for patience and does not say for how long.
const UNSAID: Duration = Duration::from_secs(30);
/// Longer is not believed: Lambda tries again well before.
const LONGEST: Duration = Duration::from_hours(1);

/// What became of one message. The words are the service's error code or an HTTP status: never its
/// text, which may quote the message, and never an address or a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The service has it.
    Delivered(Receipt),
    /// The service asks for patience. Sending again before may get the sender disabled.
    Wait(Duration),
    /// No answer, or a failure of the service: the same message may succeed later. The service may
    /// have taken it all the same.
    Transient(String),
    /// The message itself is refused: a plainer one may be taken.
    Malformed(String),
    /// The secret is refused, or the address in it is not known: it may have been replaced.
    Unauthorized(String),
    /// The message that was to be changed is not there, or may not be changed any more.
    Gone(String),
    /// Refused for a reason that no other message and no waiting mends, such as an archived channel.
    Rejected(String),
}

/// How to find what was delivered again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Slack's channel id.
    pub channel: Option<String>,
    /// Slack's time stamp, which names the message.
    pub ts: Option<String>,
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    /// Cut at [`super::LONGEST_ANSWER`].
    pub(super) body: String,
}

impl Response {
    /// What the status alone says, for every service alike.
    pub(super) fn by_status(&self) -> Answer {
        let word = format!("HTTP {}", self.status);
        match self.status {
            200..=299 => Answer::Delivered(Receipt::default()),
            429 => Answer::Wait(self.patience()),
            401 | 403 => Answer::Unauthorized(word),
            408 | 425 | 500.. => Answer::Transient(word),
            400 | 413 | 422 => Answer::Malformed(word),
            300..=399 => Answer::Rejected(format!("{word}: redirects are not followed")),
            _ => Answer::Rejected(word),
        }
    }

    /// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
    pub(super) fn patience(&self) -> Duration {
        let text = self.retry_after.as_deref().map(str::trim).unwrap_or_default();
        let by_date = || {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            // A date in the past asks for no patience at all.
            Some(Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default())
        };
        let asked = text.parse().ok().map(Duration::from_secs).or_else(by_date);
        asked.unwrap_or(UNSAID).min(LONGEST)
    }
}

/// A service's error code. What is no single word is not one, and might be a message.
pub(super) fn word(code: &str) -> Option<&str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    ((1..=64).contains(&code.len()) && code.bytes().all(is_allowed)).then_some(code)
}
