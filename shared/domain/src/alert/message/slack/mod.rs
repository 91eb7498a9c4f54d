//! Messages to Slack in Block Kit, for a bot and for an incoming webhook.
//!
//! The first line, the sentence and the buttons are top-level blocks, because Slack folds up what
//! stands in an attachment; the details stand in an attachment, because only there is a colour.

use std::fmt::Write as _;

use serde::Serialize;

use super::limits::{of_slack, units};
use super::outside::{is_address, one_line};
use super::text;
use super::wording::{count, headline, headline_within, sentence, since};
use crate::alert::notice::{Notice, StormSummary};
use crate::alert::{Meaning, Severity};
use crate::names::ComponentName;

mod block;
mod escape;
mod layout;
mod pages;

pub use block::{Block, Button, Text};
use escape::{date, escaped};
use pages::Draft;

/// The body of `chat.postMessage`, `chat.update` and of an incoming webhook, without what the adapter
/// adds: `channel`, `ts`, `thread_ts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlackMessage {
    /// For notifications and for whatever shows no blocks; also all that is left of the message
    /// when Slack refuses the blocks.
    pub text: String,
    /// Sent even when empty: an update without them would keep the old ones.
    pub blocks: Vec<Block>,
    /// See `blocks`.
    pub attachments: Vec<Attachment>,
    /// False: an address in an alert is not fetched by Slack.
    pub unfurl_links: bool,
    /// See `unfurl_links`.
    pub unfurl_media: bool,
}

/// Blocks beside a coloured bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// `#rrggbb`
    pub color: &'static str,
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// What becomes of a message whose alert stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Takes the place of the first message; says what was measured while it fired. With an
    /// incoming webhook, which cannot change a message, post this alone.
    pub update: SlackMessage,
    /// A reply in the thread, so that those who follow it are told.
    pub reply: SlackMessage,
}

/// A message, and what did not fit into it: replies in its thread, or further messages where there
/// are no threads. Never empty.
pub fn notice(notice: &Notice) -> Vec<SlackMessage> {
    draft(notice).pages()
}

/// For an alert that stopped: [`Meaning::Recovered`] or [`Meaning::WentSilent`].
pub fn resolution(notice: &Notice) -> Resolution {
    let line = format!("{} {}\n{}", emoji(notice), escaped(&sentence(notice), 1_500), since(notice, date));
    let reply = SlackMessage::new(line.clone(), vec![section(line)], Vec::new());
    Resolution { update: draft(notice).single(), reply }
}

/// Of a storm.
pub fn storm(storm: &StormSummary) -> Vec<SlackMessage> {
    let headline = text::storm_headline(storm);
    let mark = severity_look(storm.worst()).0;
    let header = Text::plain(&format!("{mark} {headline}"), of_slack::HEADER);
    let top = vec![Block::Header { text: header }, section(escaped(&text::storm_sentence(storm), 2_900))];
    let field = |(name, alerts): &(ComponentName, u32)| Text::formatted(format!("*{name}*\n{alerts}"));
    let fields: Vec<Text> = storm.top_components.iter().take(of_slack::FIELDS).map(field).collect();
    let mut details = Vec::new();
    if !fields.is_empty() {
        details.push(Block::Fields { fields });
    }
    let lines = storm.first_lines.iter().map(|line| format!("• {}", escaped(&one_line(line), 300)));
    details.extend(layout::packed("The worst", lines));
    let text = escaped_lines(&text::storm(storm));
    Draft { headline, text, top, details, color: severity_look(storm.worst()).1 }.pages()
}

impl SlackMessage {
    fn new(text: String, blocks: Vec<Block>, attachments: Vec<Attachment>) -> Self {
        Self { text, blocks, attachments, unfurl_links: false, unfurl_media: false }
    }

    /// The same without blocks, for when Slack refuses them.
    #[must_use]
    pub fn text_only(&self) -> Self {
        Self::new(self.text.clone(), Vec::new(), Vec::new())
    }
}

impl Attachment {
    fn around(color: &'static str, blocks: Vec<Block>) -> Vec<Self> {
        if blocks.is_empty() { Vec::new() } else { vec![Self { color, blocks }] }
    }
}

fn draft(notice: &Notice) -> Draft {
    let (mark, color) = look(notice);
    // The mark and the space behind it.
    let line = format!("{mark} {}", headline_within(notice, of_slack::HEADER - 3));
    let header = Block::Header { text: Text::plain(&line, of_slack::HEADER) };
    let (buttons, too_long) = layout::buttons(notice);
    let mut top = vec![header, layout::main_section(notice)];
    top.extend(buttons);
    let text = format!("{mark} {}", escaped_lines(&text::notice(notice)));
    Draft { headline: headline(notice), text, top, details: layout::details(notice, &too_long), color }
}

fn section(text: String) -> Block {
    Block::Section { text: Text::formatted(text) }
}

/// A text of several lines, each of which is escaped, within what Slack advises for a text. A line
/// that does not fit is left out and counted. Addresses stay whole: a mark in one is no format.
fn escaped_lines(text: &str) -> String {
    // The mark in front, and the line that says what is left out.
    let room = of_slack::ADVISED_TEXT - 60;
    let mut written = String::new();
    let mut left_out = 0;
    for line in text.lines() {
        let line = match line.split_once(": ").filter(|(_, url)| is_address(url)) {
            Some((name, url)) => format!("{}: <{}>", escaped(name, 50), url.replace('&', "&amp;")),
            None => escaped(line, 1_500),
        };
        if units(&written) + 1 + units(&line) > room {
            left_out += 1;
            continue;
        }
        if !written.is_empty() {
            written.push('\n');
        }
        written.push_str(&line);
    }
    if left_out > 0 {
        let _ = write!(written, "\n… ({} left out)", count(left_out, "line"));
    }
    written
}

/// How a message looks: mark and colour. A monitor that is blind, or went silent, looks like neither
/// a problem nor a recovery.
fn look(notice: &Notice) -> (&'static str, &'static str) {
    match notice.standing() {
        Meaning::Problem => severity_look(notice.classification.severity),
        Meaning::Blind => ("❓", "#7b5ea7"),
        Meaning::Recovered => ("✅", "#36a64f"),
        Meaning::WentSilent => ("🔇", "#8d8d8d"),
    }
}

fn emoji(notice: &Notice) -> &'static str {
    look(notice).0
}

fn severity_look(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Critical => ("🔴", "#d63232"),
        Severity::Error => ("🟠", "#e8590c"),
        Severity::Warning => ("🟡", "#f2b705"),
        Severity::Info => ("🔵", "#2f7ed8"),
    }
}
