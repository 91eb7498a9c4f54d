//! From what a topic delivers to [`Alert`]s: no message is an error, and none gives nothing.
//!
//! [`open`] takes an invocation's event apart into [`Delivery`]s, [`parse`] reads one of them:
//! Grafana's text and JSON, Amazon Managed Grafana's shapes, Alertmanager's and Amazon Managed
//! Prometheus' text and JSON (also when it is no valid JSON), `CloudWatch` alarms of each kind. A
//! message that was cut on its way is read up to its last whole alert, and [`Parsed::lost`] says
//! how many did not arrive. What nobody knows becomes one alert with the text in it.
//!
//! Time is linear in the length of the message.

mod alertmanager;
mod cloudwatch;
mod envelope;
mod generic;
mod grafana_text;
mod identity;
mod link;
mod managed;
mod member;
mod record;
mod text;
mod threshold;
mod time;
mod told;
mod tolerant_json;
mod webhook;

#[cfg(test)]
mod tests;

use std::fmt;

pub use envelope::{Delivery, Unreadable, open, open_text};

use super::{Alert, Family};
use tolerant_json::{Document, State};

/// The longest message SNS takes, in bytes. A sender cuts what is longer.
const MAX_MESSAGE_BYTES: usize = 262_144;

/// How many envelopes and bodies inside each other are opened.
const MAX_NESTING: usize = 6;

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// Who wrote it.
    pub family: Family,
    /// At least one.
    pub alerts: Vec<Alert>,
    /// How many alerts of the sender did not arrive whole, because the message was cut or broken.
    /// At least 1 when that happened and the number is not known. An alert of which only the
    /// beginning is left counts too: it is kept if it is the only one.
    pub lost: usize,
    /// What was out of the ordinary, for the log.
    pub notes: Vec<Note>,
}

/// What was out of the ordinary about a message. Tells nothing of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Note {
    /// It ends in the middle.
    Cut,
    /// The one alert is not whole.
    KeptInPart,
    /// It is no valid JSON and was read all the same.
    RepairedJson,
    /// The body is empty, as Grafana 11.1 sends it; the alert is made of the subject.
    SubjectOnly,
    /// The subject speaks of more alerts than there are.
    FewerThanStated,
    /// The sender left alerts out (`truncatedAlerts`), or sent some that are none.
    LeftOutBySender,
    /// An address was no absolute `http` or `https` one.
    DroppedLink,
    /// A time is in no form that is known.
    UnreadableTime,
    /// There is text around the alerts that belongs to none.
    TextLeftOut,
    /// No family writes like this.
    UnknownForm,
}

impl Note {
    /// One word for logs and counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::KeptInPart => "kept_in_part",
            Self::RepairedJson => "repaired_json",
            Self::SubjectOnly => "subject_only",
            Self::FewerThanStated => "fewer_than_stated",
            Self::LeftOutBySender => "left_out_by_sender",
            Self::DroppedLink => "dropped_link",
            Self::UnreadableTime => "unreadable_time",
            Self::TextLeftOut => "text_left_out",
            Self::UnknownForm => "unknown_form",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads the message of a delivery. Never fails and never gives no alert: see [`Parsed`].
pub fn parse(delivery: &Delivery) -> Parsed {
    let (region, account) = delivery.region_and_account();
    let is_flagged = delivery.attributes.get("truncated").is_some_and(|value| value == "true");
    let context = Context {
        account,
        region,
        subject: delivery.subject.as_deref(),
        // A cut never splits a character, so up to three bytes can be missing.
        is_cut: is_flagged || delivery.message.len() > MAX_MESSAGE_BYTES - 4,
    };
    let reading =
        read(&delivery.message, context, 0).unwrap_or_else(|| generic::text(&delivery.message, context));
    reading.finish(context)
}

/// What is known about a message beside its text.
#[derive(Debug, Clone, Copy)]
struct Context<'a> {
    account: &'a str,
    region: &'a str,
    subject: Option<&'a str>,
    is_cut: bool,
}

/// What a family's reader makes of a message.
#[derive(Debug)]
struct Reading {
    family: Family,
    alerts: Vec<Alert>,
    /// How many of the alerts are whole.
    whole: usize,
    /// Alerts that the message itself says, or shows, to be missing.
    missing: usize,
    is_cut: bool,
    notes: Vec<Note>,
}

impl Reading {
    /// All alerts are whole, and nothing is missing.
    fn whole(family: Family, alerts: Vec<Alert>, notes: Vec<Note>) -> Self {
        Self { family, whole: alerts.len(), alerts, missing: 0, is_cut: false, notes }
    }

    fn finish(mut self, context: Context<'_>) -> Parsed {
        let stated = context.subject.and_then(text::stated_alerts).unwrap_or(0).saturating_sub(self.whole);
        if self.is_cut {
            self.notes.push(Note::Cut);
        } else if stated > 0 {
            self.notes.push(Note::FewerThanStated);
        }
        if self.alerts.len() > self.whole {
            self.notes.push(Note::KeptInPart);
        }
        if self.missing > 0 {
            self.notes.push(Note::LeftOutBySender);
        }
        self.notes.sort_unstable();
        self.notes.dedup();
        let lost = self.missing.max(stated).max(usize::from(self.is_cut));
        Parsed { family: self.family, alerts: self.alerts, lost, notes: self.notes }
    }
}

/// Reads a text that one of the known families wrote.
fn read(text: &str, context: Context<'_>, nesting: usize) -> Option<Reading> {
    if nesting > MAX_NESTING {
        return None;
    }
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    match text.as_bytes().first()? {
        b'{' | b'[' => {
            let document = tolerant_json::read(text);
            let from_json = read_document(&document, context, nesting);
            from_json.or_else(|| read_text(text, context, nesting)).or_else(|| {
                let is_object = document.value.as_object().is_some_and(|members| !members.is_empty());
                is_object.then(|| generic::document(text, &document, context))
            })
        }
        b'"' => {
            let inner: String = serde_json::from_str(text).ok()?;
            read(&inner, context, nesting + 1)
        }
        _ => read_text(text, context, nesting),
    }
}

fn read_document(document: &Document, context: Context<'_>, nesting: usize) -> Option<Reading> {
    let context = Context { is_cut: document.state.is_cut(), ..context };
    let mut reading = cloudwatch::read(&document.value, context)
        .or_else(|| webhook::read(&document.value, document.state, context))
        .or_else(|| managed::read_json(&document.value, context, nesting))?;
    if document.state == State::Repaired {
        reading.notes.push(Note::RepairedJson);
    }
    Some(reading)
}

fn read_text(text: &str, context: Context<'_>, nesting: usize) -> Option<Reading> {
    grafana_text::read(text, context)
        .or_else(|| alertmanager::read(text, context))
        .or_else(|| managed::read_text(text, context, nesting))
}
