//! What a person sees of a Slack message, as text.

use serde_json::Value;

/// The blocks from top to bottom; beside the bar, indented by `|`.
pub(super) fn shown(message: &Value) -> String {
    let mut text = String::new();
    for block in list(&message["blocks"]) {
        text.push_str(&block_shown(block, ""));
    }
    for attachment in list(&message["attachments"]) {
        text.push_str(&["--- ", attachment["color"].as_str().unwrap(), "\n"].concat());
        for block in list(&attachment["blocks"]) {
            text.push_str(&block_shown(block, "| "));
        }
    }
    text
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn block_shown(block: &Value, indent: &str) -> String {
    let text = |value: &Value| value["text"].as_str().unwrap_or_default().to_owned();
    let lines = match block["type"].as_str().unwrap() {
        "header" => format!("# {}", text(&block["text"])),
        "section" if block["fields"].is_array() => list(&block["fields"])
            .iter()
            .map(|field| text(field).replace('\n', ": "))
            .collect::<Vec<_>>()
            .join("\n"),
        "section" => text(&block["text"]),
        "context" => {
            list(&block["elements"]).iter().map(|it| format!("  {}", text(it))).collect::<Vec<_>>().join("\n")
        }
        "actions" => {
            let buttons = list(&block["elements"]).iter();
            buttons.map(|button| format!("[{}]", text(&button["text"]))).collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other}"),
    };
    lines.lines().map(|line| [indent, line, "\n"].concat()).collect::<Vec<_>>().concat()
}
