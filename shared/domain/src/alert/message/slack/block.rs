//! The part of Block Kit that Assay sends (docs.slack.dev, reference of blocks).

use serde::Serialize;

use super::super::limits::{of_slack, shorten, units};

/// A block of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// One line, large.
    Header {
        /// [`Text::Plain`] only.
        text: Text,
    },
    /// A text.
    Section {
        /// The text.
        text: Text,
    },
    /// Short texts in two columns.
    #[serde(rename = "section")]
    Fields {
        /// Ten at most.
        fields: Vec<Text>,
    },
    /// Small print.
    Context {
        /// Ten at most.
        elements: Vec<Text>,
    },
    /// Buttons.
    Actions {
        /// 25 at most.
        elements: Vec<Button>,
    },
}

/// A text object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum Text {
    /// Without formatting.
    #[serde(rename = "plain_text")]
    Plain {
        /// The text.
        text: String,
        /// Whether `:name:` is an emoji.
        emoji: bool,
    },
    /// With Slack's formatting.
    #[serde(rename = "mrkdwn")]
    Formatted {
        /// The text; what comes from outside is escaped in it.
        text: String,
        /// True: what looks like an address, a channel or a mention is left alone.
        verbatim: bool,
    },
}

/// A button that opens an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "button")]
pub struct Button {
    /// What stands on it.
    pub text: Text,
    /// What it opens.
    pub url: String,
    /// Its name among the others.
    pub action_id: String,
}

impl Text {
    /// A text whose outside parts are escaped already.
    pub(super) fn formatted(text: String) -> Self {
        Self::Formatted { text, verbatim: true }
    }

    /// Slack reads no commands in a plain text; angle brackets are replaced all the same, so that
    /// it makes no difference where such a text is shown.
    pub(super) fn plain(text: &str, limit: usize) -> Self {
        let text = text.replace('<', "‹").replace('>', "›");
        Self::Plain { text: shorten(&text, limit).into_owned(), emoji: true }
    }

    fn characters(&self) -> usize {
        match self {
            Self::Plain { text, .. } | Self::Formatted { text, .. } => units(text),
        }
    }
}

impl Button {
    pub(super) fn new(name: &str, url: &str) -> Self {
        let action_id = format!("open_{}", name.to_lowercase());
        Self { text: Text::plain(name, of_slack::BUTTON), url: url.to_owned(), action_id }
    }
}

impl Block {
    /// What it adds to the sum over all blocks.
    pub(super) fn characters(&self) -> usize {
        match self {
            Self::Header { text } | Self::Section { text } => text.characters(),
            Self::Fields { fields: texts } | Self::Context { elements: texts } => {
                texts.iter().map(Text::characters).sum()
            }
            Self::Actions { elements } => elements
                .iter()
                .map(|button| button.text.characters() + units(&button.url) + units(&button.action_id))
                .sum(),
        }
    }
}
