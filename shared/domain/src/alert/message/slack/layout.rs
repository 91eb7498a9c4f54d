//! What stands where in a message about one alert.

use super::super::limits::{of_slack, units};
use super::super::outside::one_line;
use super::super::text::in_brackets;
use super::super::wording::{
    Item, annotations, cost, described, labels, links, not_included, now, occasion, related, rule, sentence,
    since, why, worst,
};
use super::block::{Block, Button, Text};
use super::escape::{date, escaped};
use crate::alert::Family;
use crate::alert::notice::Notice;

/// A description longer than this is cut above and told in full below.
const SHORT_DESCRIPTION: usize = 400;

/// So many descriptions are told above, the others below.
const DESCRIPTIONS: usize = 2;

/// So many related alerts are told above; if there are more, all are listed below.
const ALSO: usize = 2;

/// All addresses on the buttons together: they count towards the sum over all blocks.
const ADDRESSES: usize = 5_000;

/// What is wrong, what is new, since when, and why it is called so bad.
pub(super) fn main_section(notice: &Notice) -> Block {
    let mut lines = vec![format!("*{}*", escaped(&sentence(notice), 400))];
    lines.extend(occasion(notice).map(|text| escaped(&text, 200)));
    let related = related(notice);
    lines.extend(
        related
            .iter()
            .take(ALSO)
            .map(|Item { name, text }| format!("Also *{}*  {}", escaped(name, 100), escaped(text, 100))),
    );
    lines.extend(
        described(notice).iter().take(DESCRIPTIONS).map(|text| quoted(&escaped(text, SHORT_DESCRIPTION))),
    );
    lines.push(since(notice, date));
    lines.push(escaped(&why(notice), 600));
    Block::Section { text: Text::formatted(lines.join("\n")) }
}

/// A row of buttons, and the names and lengths of addresses that are too long for one.
pub(super) fn buttons(notice: &Notice) -> (Option<Block>, Vec<Item>) {
    let mut elements = Vec::new();
    let mut too_long = Vec::new();
    let mut total = 0;
    for (name, url) in links(notice) {
        let length = units(url);
        if length > of_slack::URL || total + length > ADDRESSES {
            let why = format!("its address has {length} characters");
            too_long.push(Item { name: format!("link to {}", name.to_lowercase()), text: why });
        } else {
            total += length;
            elements.push(Button::new(name, url));
        }
    }
    let row = (!elements.is_empty()).then_some(Block::Actions { elements });
    (row, too_long)
}

/// Everything else, the most telling first.
pub(super) fn details(notice: &Notice, too_long: &[Item]) -> Vec<Block> {
    let mut blocks = vec![Block::Fields { fields: place(notice) }];
    let now: Vec<Text> = now(notice).iter().map(|item| field(&item.name, &item.text)).collect();
    blocks.extend(now.chunks(of_slack::FIELDS).map(|fields| Block::Fields { fields: fields.to_vec() }));
    blocks.extend(packed("Worst recent answers, by the judge", bullets(&worst(notice), 1_200)));
    if notice.related.len() > ALSO {
        blocks.extend(packed("Related alerts", bullets(&related(notice), 1_200)));
    }
    let missing: Vec<Item> = not_included(notice).into_iter().chain(too_long.iter().cloned()).collect();
    if !missing.is_empty() {
        blocks.extend(small(&format!("⚠️ Not included: {}", in_brackets(&missing))));
    }
    let is_cut = |place: usize, text: &str| {
        place >= DESCRIPTIONS || units(&escaped(text, usize::MAX)) > SHORT_DESCRIPTION
    };
    let in_full = described(notice).into_iter().enumerate().filter(|(place, text)| is_cut(*place, text));
    blocks.extend(packed("In full", in_full.map(|(_, text)| quoted(&escaped(&text, 2_700)))));
    blocks.extend(packed("Annotations", bullets(&annotations(notice), 1_200)));
    blocks.extend(label_blocks(notice));
    let sender = format!("Sent by {}. Key {:.12}", family(notice.alert.family), notice.alert.key.as_str());
    blocks.extend(small(&sender));
    blocks
}

fn place(notice: &Notice) -> Vec<Text> {
    let mut fields = Vec::new();
    fields.extend(notice.component.as_ref().map(|name| field("Component", name.as_str())));
    fields.extend(notice.endpoint.as_ref().map(|name| field("Endpoint", name.as_str())));
    fields.push(field("Rule", &rule(notice)));
    fields.extend(cost(notice).map(|cost| field("Cost", &cost)));
    fields
}

fn field(name: &str, text: &str) -> Text {
    let name = escaped(&one_line(name), 300);
    Text::formatted(if text.is_empty() { name } else { format!("*{name}*\n{}", escaped(text, 1_500)) })
}

/// The words of somebody else, as Slack shows a quotation.
fn quoted(escaped: &str) -> String {
    format!("&gt; {escaped}")
}

/// With names and texts of at most `limit`.
fn bullets(items: &[Item], limit: usize) -> impl Iterator<Item = String> {
    items.iter().map(move |Item { name, text }| match text.as_str() {
        "" => format!("• {}", escaped(name, limit)),
        text => format!("• *{}*  {}", escaped(name, limit), escaped(text, limit)),
    })
}

/// Lines under a title, in as few sections as hold them. A line is at most 2,800 long.
pub(super) fn packed(title: &str, lines: impl Iterator<Item = String>) -> Vec<Block> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        let fits = |text: &&mut String| units(text) + 1 + units(&line) <= of_slack::SECTION - 50;
        if let Some(text) = texts.last_mut().filter(fits) {
            text.push('\n');
            text.push_str(&line);
        } else if texts.is_empty() {
            texts.push(format!("*{title}*\n{line}"));
        } else {
            texts.push(line);
        }
    }
    texts.into_iter().map(|text| Block::Section { text: Text::formatted(text) }).collect()
}

fn label_blocks(notice: &Notice) -> Vec<Block> {
    let mut text = String::new();
    let mut elements = Vec::new();
    for Item { name, text: value } in labels(notice) {
        let label = if value.is_empty() { name } else { format!("{name} = {value}") };
        let label = escaped(&label, 900);
        if !text.is_empty() && units(&text) + units(&label) + 5 > of_slack::CONTEXT {
            elements.push(Text::formatted(std::mem::take(&mut text)));
        }
        text.push_str(if text.is_empty() { "" } else { "  ·  " });
        text.push_str(&label);
    }
    if !text.is_empty() {
        elements.push(Text::formatted(text));
    }
    // One a block: ten would be more than a page holds.
    elements.into_iter().map(|element| Block::Context { elements: vec![element] }).collect()
}

fn small(text: &str) -> Option<Block> {
    let text = escaped(text, of_slack::CONTEXT);
    (!text.is_empty()).then(|| Block::Context { elements: vec![Text::formatted(text)] })
}

fn family(family: Family) -> &'static str {
    match family {
        Family::GrafanaText | Family::GrafanaJson => "Grafana",
        Family::ManagedGrafana => "Amazon Managed Grafana",
        Family::Alertmanager => "Alertmanager",
        Family::CloudWatch => "CloudWatch",
        Family::Unknown => "a sender that Assay does not know",
    }
}
