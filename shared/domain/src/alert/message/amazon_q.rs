//! Custom notifications for Amazon Q Developer in chat applications, which shows them in Slack,
//! Microsoft Teams or Chime and threads them by alert (administrator guide, custom notifications).
//! Published to an SNS topic of its own; anything of another shape is dropped there in silence.

use std::collections::BTreeMap;

use serde::Serialize;

use super::limits::{of_amazon_q, shorten_with};
use super::wording::{headline, links, severity_name};
use super::{outside, text};
use crate::alert::notice::{Notice, StormSummary};
use crate::alert::{AlertKey, Meaning};

/// A custom notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmazonQMessage {
    version: &'static str,
    source: &'static str,
    /// What is said.
    pub content: Content,
    /// How it is threaded.
    pub metadata: Metadata,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    text_type: &'static str,
    /// The first line.
    pub title: String,
    /// Everything.
    pub description: String,
    /// Where to look.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<String>,
    /// To search by.
    pub keywords: Vec<String>,
}

/// How it is threaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The alert: all that is said of it is in one thread.
    pub thread_id: String,
    /// The title of the thread.
    pub summary: String,
    /// What happened, in a word.
    pub event_type: &'static str,
    /// Component and endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related_resources: Vec<String>,
    /// For actions: severity and key.
    pub additional_context: BTreeMap<&'static str, String>,
}

/// Of an alert, in the thread of `thread`.
pub fn notice(notice: &Notice, thread: &AlertKey) -> AmazonQMessage {
    let component = notice.component.as_ref().map(ToString::to_string);
    let endpoint = notice.endpoint.as_ref().map(ToString::to_string);
    let severity = severity_name(notice.classification.severity);
    let resources: Vec<String> = component.into_iter().chain(endpoint).collect();
    let keywords = std::iter::once(severity.to_owned()).chain(resources.iter().cloned()).collect();
    let steps = links(notice).into_iter().filter(|(_, url)| url.len() <= 3_000);
    let context = BTreeMap::from([("severity", severity.to_owned()), ("key", notice.alert.key.to_string())]);
    let event_type = match notice.standing() {
        Meaning::Problem => "problem",
        Meaning::Blind => "blind",
        Meaning::Recovered => "recovered",
        Meaning::WentSilent => "went_silent",
    };
    message(
        &headline(notice),
        &text::notice(notice),
        steps.map(|(name, url)| format!("{name}: {url}")).collect(),
        keywords,
        Metadata {
            thread_id: thread.to_string(),
            summary: harmless(&headline(notice), of_amazon_q::SUMMARY),
            event_type,
            related_resources: resources,
            additional_context: context,
        },
    )
}

/// Of a storm, in a thread of its own.
pub fn storm(storm: &StormSummary) -> AmazonQMessage {
    let headline = text::storm_headline(storm);
    let severity = severity_name(storm.worst());
    let metadata = Metadata {
        thread_id: format!("storm-{}-{}", outside::one_line(&storm.route), storm.from.as_second()),
        summary: harmless(&headline, of_amazon_q::SUMMARY),
        event_type: "storm",
        related_resources: Vec::new(),
        additional_context: BTreeMap::from([("severity", severity.to_owned())]),
    };
    message(&headline, &text::storm(storm), Vec::new(), vec![severity.to_owned()], metadata)
}

fn message(
    headline: &str,
    text: &str,
    next_steps: Vec<String>,
    keywords: Vec<String>,
    metadata: Metadata,
) -> AmazonQMessage {
    // The title says the first line already, the next steps the addresses.
    let rest = text.split_once("\n\n").map_or(text, |(_, rest)| rest);
    let lines = rest.lines().filter(|line| !next_steps.iter().any(|step| step == line));
    let description = lines.collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n");
    let content = Content {
        text_type: "client-markdown",
        title: harmless(headline, of_amazon_q::TITLE),
        description: harmless(&description, of_amazon_q::DESCRIPTION),
        next_steps,
        keywords,
    };
    AmazonQMessage { version: "1.0", source: "custom", content, metadata }
}

/// For Slack's and for Teams' formatting alike: entities instead of `& < >`.
fn harmless(text: &str, limit: usize) -> String {
    let entity = |character: char, into: &mut String| match character {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        '*' => into.push('∗'),
        '`' => into.push('\''),
        _ => into.push(character),
    };
    shorten_with(text, limit, entity).into_owned()
}
