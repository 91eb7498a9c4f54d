//! What each service accepts, and how a text is made to fit.
//!
//! Lengths are counted in UTF-16 units, as the services' own languages do: never fewer than
//! characters, so a text that fits here fits everywhere. The checkers read a finished message as the
//! service would and name every fault; the local stand-ins answer with them.

use std::borrow::Cow;
use std::fmt;

mod amazon_q;
mod opsgenie;
mod pagerduty;
mod reader;
mod slack;

pub use amazon_q::check_amazon_q;
pub use opsgenie::check_opsgenie;
pub use pagerduty::{check_pagerduty, pagerduty_error};
pub use slack::{check_slack, slack_error};

/// Slack's limits: docs.slack.dev, reference of blocks; the sum over all blocks is not documented
/// and was found at about 13,200 (slackapi/bolt-js#2509).
pub mod of_slack {
    /// Blocks of a message, those in attachments included.
    pub const BLOCKS: usize = 50;
    /// A section's text, and any text object.
    pub const SECTION: usize = 3_000;
    /// A header.
    pub const HEADER: usize = 150;
    /// Fields of a section.
    pub const FIELDS: usize = 10;
    /// One field of a section.
    pub const FIELD: usize = 2_000;
    /// Elements of a context.
    pub const CONTEXT_ELEMENTS: usize = 10;
    /// One element of a context: kept lower than that of a text object, which may not hold here.
    pub const CONTEXT: usize = 2_000;
    /// Elements of an actions block.
    pub const ACTIONS: usize = 25;
    /// A button's text.
    pub const BUTTON: usize = 75;
    /// A button's address.
    pub const URL: usize = 3_000;
    /// A button's value.
    pub const VALUE: usize = 2_000;
    /// `block_id` and `action_id`.
    pub const ID: usize = 255;
    /// The top-level text that Slack advises.
    pub const ADVISED_TEXT: usize = 4_000;
    /// The top-level text that Slack cuts at.
    pub const TEXT: usize = 40_000;
    /// Attachments of a message.
    pub const ATTACHMENTS: usize = 100;
    /// All texts and addresses of all blocks together.
    pub const TOTAL: usize = 12_000;
}

/// `PagerDuty`'s limits: developer.pagerduty.com, Events API v2.
pub mod of_pagerduty {
    /// The routing key, exactly.
    pub const ROUTING_KEY: usize = 32;
    /// The summary.
    pub const SUMMARY: usize = 1_024;
    /// The dedup key.
    pub const DEDUP_KEY: usize = 255;
    /// The whole event, in bytes: 512 KB, of which other notifiers leave the difference to 512 KiB.
    pub const EVENT_BYTES: usize = 512_000;
}

/// Limits of Opsgenie and Jira Service Management: docs.opsgenie.com, alert API.
pub mod of_opsgenie {
    /// The message.
    pub const MESSAGE: usize = 130;
    /// The alias.
    pub const ALIAS: usize = 512;
    /// The description.
    pub const DESCRIPTION: usize = 15_000;
    /// How many tags.
    pub const TAGS: usize = 20;
    /// One tag.
    pub const TAG: usize = 50;
    /// All keys and values of the details together.
    pub const DETAILS: usize = 8_000;
    /// The entity.
    pub const ENTITY: usize = 512;
    /// The source.
    pub const SOURCE: usize = 100;
    /// A note.
    pub const NOTE: usize = 25_000;
}

/// Limits of our own for Amazon Q in chat applications, whose guide names none: what its chats can
/// show. SNS takes 256 KiB.
pub mod of_amazon_q {
    /// The title.
    pub const TITLE: usize = 250;
    /// The description.
    pub const DESCRIPTION: usize = 8_000;
    /// The summary of a thread.
    pub const SUMMARY: usize = 250;
    /// The whole message, in bytes.
    pub const MESSAGE_BYTES: usize = 262_144;
}

/// What is wrong with a message, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer to the fault.
    pub pointer: String,
    /// What is wrong.
    pub fault: Fault,
}

/// How a message can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A field is missing, null or empty.
    Missing,
    /// A field has another type or value than the service takes; what it takes.
    Expected(&'static str),
    /// A field that the service does not know.
    Unknown,
    /// A list with too many entries.
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A message of too many bytes.
    TooLarge {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A text with too many characters.
    TooLong {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The sum over all blocks of a Slack message.
    TotalTooLong {
        /// How many characters there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Missing => write!(f, "missing required field")?,
            Fault::Expected(what) => write!(f, "must be {what}")?,
            Fault::Unknown => write!(f, "unknown field")?,
            Fault::TooLong { limit, .. } => write!(f, "must be less than {} characters", limit + 1)?,
            Fault::TooMany { found, limit } => {
                write!(f, "no more than {limit} items allowed, {found} found")?;
            }
            Fault::TooLarge { found, limit } => {
                write!(f, "no more than {limit} bytes allowed, {found} found")?;
            }
            Fault::TotalTooLong { found, limit } => {
                write!(f, "all blocks together: {found}, at most {limit}")?;
            }
        }
        write!(f, " [json-pointer:{}]", self.pointer)
    }
}

/// The length of a text as services count it.
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// `text` in at most `limit` units: cut between two characters, with an ellipsis, and with the number
/// of characters left out where there is room to say so.
pub fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    shorten_with(text, limit, |character, into| into.push(character))
}

/// The same of what `write` makes of each character: an entity is never cut.
pub(super) fn shorten_with(text: &str, limit: usize, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    // "… (1234567 characters left out)", and room for nearly any number.
    const NOTE: usize = 45;
    let mut written = String::with_capacity(text.len());
    let mut length = 0;
    // Where to cut if it turns out that all of it does not fit: bytes written, characters read.
    let room = limit.saturating_sub(if limit >= 2 * NOTE { NOTE } else { 1 });
    let mut cut = (0, 0);
    for (place, character) in text.chars().enumerate() {
        let start = written.len();
        write(character, &mut written);
        length += units(&written[start..]);
        if length <= room {
            cut = (written.len(), place + 1);
        }
        if length > limit {
            written.truncate(cut.0);
            let left_out = text.chars().count() - cut.1;
            if limit >= 2 * NOTE {
                return Cow::Owned(format!("{written}… ({left_out} characters left out)"));
            }
            if limit > 0 {
                written.push('…');
            }
            return Cow::Owned(written);
        }
    }
    if written == text { Cow::Borrowed(text) } else { Cow::Owned(written) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("", 0), "");
    }

    #[test]
    fn a_cut_text_says_so() {
        assert_eq!(shorten("abcdef", 4), "abc…");
        let cut = shorten(&"x".repeat(500), 200).into_owned();
        assert!(cut.ends_with("x… (345 characters left out)"), "{cut}");
    }

    #[test]
    fn an_emoji_counts_two_and_is_not_halved() {
        assert_eq!(units("🔴"), 2);
        assert_eq!(shorten("🔴🔴🔴", 4), "🔴…");
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_its_limit(text in any::<String>(), limit in 0_usize..200) {
            prop_assert!(units(&shorten(&text, limit)) <= limit);
        }

        #[test]
        fn the_number_left_out_is_right(text in prop::collection::vec(any::<char>(), 300..600)) {
            let text: String = text.into_iter().collect();
            let cut = shorten(&text, 250).into_owned();
            let (kept, note) = cut.rsplit_once("… (").unwrap();
            let left_out: usize = note.split(' ').next().unwrap().parse().unwrap();
            prop_assert_eq!(kept.chars().count() + left_out, text.chars().count());
        }
    }
}
