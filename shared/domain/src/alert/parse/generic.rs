//! What no family explains: one alert with the whole text, so that somebody reads it.

use std::collections::BTreeMap;

use super::member;
use super::text;
use super::tolerant_json::Document;
use super::{Context, Note, Reading, identity};
use crate::alert::{Alert, Family, Links, StateReason, Status};

/// A title is no longer than this, in characters.
const MAX_TITLE: usize = 120;

/// A text of unknown form. It fires unless the subject says that all is over.
pub(super) fn text(text: &str, context: Context<'_>) -> Reading {
    let is_over = context.subject.is_some_and(text::says_resolved);
    unknown(None, text, if is_over { Status::Resolved } else { Status::Firing }, BTreeMap::new(), context)
}

/// A JSON object of unknown form: its severity is kept as a label, its title as the rule.
pub(super) fn document(text: &str, document: &Document, context: Context<'_>) -> Reading {
    let context = Context { is_cut: document.state.is_cut(), ..context };
    let Some(top) = document.value.as_object() else { return self::text(text, context) };
    let inner = member::object(top, &["detail", "alert"]).unwrap_or(top);
    let title = member::text(top, &["title", "alertname", "name", "summary", "detail-type"]);
    let state = [inner, top].into_iter().find_map(|object| member::text(object, &["status", "state"]));
    let is_over = ["resolved", "ok", "recovered"]
        .iter()
        .any(|word| state.is_some_and(|state| state.eq_ignore_ascii_case(word)));
    let severity = [inner, top].into_iter().find_map(|object| member::text(object, &["severity"]));
    let labels = severity.map(|severity| ("severity".to_owned(), severity.to_owned())).into_iter().collect();
    unknown(title, text, if is_over { Status::Resolved } else { Status::Firing }, labels, context)
}

fn unknown(
    title: Option<&str>,
    text: &str,
    status: Status,
    labels: BTreeMap<String, String>,
    context: Context<'_>,
) -> Reading {
    let plain = Plain { family: Family::Unknown, title, text, status, state_reason: None, labels };
    let mut reading = plain.into_reading(context);
    reading.notes.push(Note::UnknownForm);
    reading
}

/// An alert of which there is a title and a text.
pub(super) struct Plain<'a> {
    pub(super) family: Family,
    pub(super) title: Option<&'a str>,
    pub(super) text: &'a str,
    pub(super) status: Status,
    pub(super) state_reason: Option<StateReason>,
    pub(super) labels: BTreeMap<String, String>,
}

impl Plain<'_> {
    pub(super) fn into_reading(self, context: Context<'_>) -> Reading {
        let subject = context.subject.map(text::title).filter(|title| !title.is_empty());
        let first_line = self.text.lines().map(str::trim).find(|line| !line.is_empty());
        let title = self.title.map(text::title).filter(|title| !title.is_empty()).or(subject).or(first_line);
        let rule: String = title.unwrap_or("empty message").chars().take(MAX_TITLE).collect();
        let key = if self.family == Family::Unknown {
            identity::of_text(&rule, self.text, context)
        } else {
            identity::of_title(&rule, &self.labels, context)
        };
        let annotations = [("text", Some(self.text)), ("subject", context.subject)]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        let alert = Alert {
            family: self.family,
            status: self.status,
            state_reason: self.state_reason,
            rule,
            labels: self.labels,
            annotations,
            values: BTreeMap::new(),
            threshold: None,
            starts_at: None,
            ends_at: None,
            links: Links::default(),
            key,
        };
        Reading {
            whole: usize::from(!context.is_cut),
            is_cut: context.is_cut,
            ..Reading::whole(self.family, vec![alert], Vec::new())
        }
    }
}
