//! A Slack message as lines for a terminal.

use serde_json::Value;

use super::{list, text};

/// The message: its blocks, then those beside its coloured bar.
pub fn message_text(message: &Value) -> String {
    let mut lines: Vec<String> = list(&message["blocks"]).iter().flat_map(block_lines).collect();
    for attachment in list(&message["attachments"]) {
        let blocks = list(&attachment["blocks"]).iter().flat_map(block_lines);
        lines.extend(blocks.map(|line| format!("| {line}")));
    }
    lines.join("\n")
}

fn block_lines(block: &Value) -> Vec<String> {
    let texts: Vec<&Value> = match block["type"].as_str() {
        Some("actions") => {
            let label = |button: &Value| format!("[{}]", readable(text(&button["text"])));
            let labels: Vec<String> = list(&block["elements"]).iter().map(label).collect();
            return vec![labels.join(" ")];
        }
        Some("context") => list(&block["elements"]).iter().collect(),
        _ => [&block["text"]].into_iter().chain(list(&block["fields"])).collect(),
    };
    texts.into_iter().flat_map(|object| text(object).lines()).map(readable).collect()
}

/// Without Slack's escapes; of a link its label, of a date its fallback.
fn readable(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('<') {
        shown.push_str(before);
        let (link, after) = link.split_once('>').unwrap_or((link, ""));
        shown.push_str(link.rsplit_once('|').map_or(link, |(_, label)| label));
        rest = after;
    }
    shown.push_str(rest);
    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace('*', "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shows_what_a_reader_sees() {
        let message = json!({
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "Low safety"}},
                {"type": "section", "text": {"type": "mrkdwn", "text": "&gt; a &lt;b&gt;\nsince <!date^1^{time}|09:15 UTC>"}},
                {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Runbook"}, "url": "https://x"}]},
            ],
            "attachments": [{"color": "#ff0000", "blocks": [
                {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Cost*: <https://x|here>"}]},
            ]}],
        });
        assert_eq!(message_text(&message), "Low safety\n> a <b>\nsince 09:15 UTC\n[Runbook]\n| Cost: here");
    }
}
