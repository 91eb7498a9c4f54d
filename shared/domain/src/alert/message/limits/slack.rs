//! A message to Slack, read as Slack would.

use serde_json::Value;

use super::reader::{Place, Reader};
use super::{Fault, Violation, of_slack, units};

/// Everything that is wrong with a body for `chat.postMessage`, `chat.update` or an incoming
/// webhook; the fields that only the adapter knows (`channel`, `ts`) are not asked for. Knows the
/// blocks that Assay sends.
pub fn check_slack(message: &Value) -> Vec<Violation> {
    let mut reader = Reader::default();
    let Some(message) = reader.object(message, String::new()) else { return reader.finish() };
    reader.required_text(&message, "text", of_slack::TEXT);
    let mut total = Total::default();
    let blocks = reader.list(&message, "blocks", of_slack::BLOCKS);
    check_blocks(&mut reader, blocks, "/blocks", &mut total);
    let attachments = reader.list(&message, "attachments", of_slack::ATTACHMENTS);
    for (number, attachment) in attachments.iter().enumerate() {
        let Some(attachment) = reader.object(attachment, format!("/attachments/{number}")) else { continue };
        reader.only(&attachment, &["color", "fallback", "blocks"]);
        let blocks = reader.list(&attachment, "blocks", of_slack::BLOCKS);
        check_blocks(&mut reader, blocks, &attachment.at("blocks"), &mut total);
    }
    if total.blocks > of_slack::BLOCKS {
        reader.fits_list("/blocks".to_owned(), total.blocks, of_slack::BLOCKS);
    }
    if total.characters > of_slack::TOTAL {
        let fault = Fault::TotalTooLong { found: total.characters, limit: of_slack::TOTAL };
        reader.add("/blocks", fault);
    }
    reader.finish()
}

/// The word that Slack answers for these faults; `None` when there are none.
pub fn slack_error(violations: &[Violation]) -> Option<&'static str> {
    let first = violations.first()?;
    Some(match first {
        Violation { fault: Fault::TotalTooLong { .. }, .. } => "msg_blocks_too_long",
        Violation { pointer, .. } if pointer == "/text" || pointer.is_empty() => "no_text",
        Violation { pointer, .. } if pointer.starts_with("/attachments") => "invalid_attachments",
        _ => "invalid_blocks",
    })
}

#[derive(Default)]
struct Total {
    blocks: usize,
    characters: usize,
}

fn check_blocks(reader: &mut Reader, blocks: &[Value], pointer: &str, total: &mut Total) {
    total.blocks += blocks.len();
    for (number, block) in blocks.iter().enumerate() {
        total.characters += characters(block);
        if let Some(block) = reader.object(block, format!("{pointer}/{number}")) {
            check_block(reader, &block);
        }
    }
}

fn check_block(reader: &mut Reader, block: &Place<'_>) {
    reader.text(block, "block_id", of_slack::ID);
    match block.object.get("type").and_then(Value::as_str) {
        Some("header") => {
            reader.only(block, &["type", "block_id", "text"]);
            check_text(reader, block, "text", of_slack::HEADER, &["plain_text"]);
        }
        Some("section") => {
            reader.only(block, &["type", "block_id", "text", "fields"]);
            let fields = reader.list(block, "fields", of_slack::FIELDS);
            if fields.is_empty() || block.object.contains_key("text") {
                check_text(reader, block, "text", of_slack::SECTION, &["plain_text", "mrkdwn"]);
            }
            check_texts(reader, fields, &block.at("fields"), of_slack::FIELD);
        }
        Some("context") => {
            reader.only(block, &["type", "block_id", "elements"]);
            let elements = some_of(reader, block, of_slack::CONTEXT_ELEMENTS);
            check_texts(reader, elements, &block.at("elements"), of_slack::CONTEXT);
        }
        Some("actions") => {
            reader.only(block, &["type", "block_id", "elements"]);
            check_buttons(reader, block);
        }
        Some("divider") => reader.only(block, &["type", "block_id"]),
        _ => reader.add(block.at("type"), Fault::Expected("a block that is known")),
    }
}

fn some_of<'a>(reader: &mut Reader, block: &Place<'a>, limit: usize) -> &'a [Value] {
    let elements = reader.list(block, "elements", limit);
    if elements.is_empty() {
        reader.add(block.at("elements"), Fault::Missing);
    }
    elements
}

fn check_texts(reader: &mut Reader, texts: &[Value], pointer: &str, limit: usize) {
    for (number, text) in texts.iter().enumerate() {
        if let Some(text) = reader.object(text, format!("{pointer}/{number}")) {
            check_text_object(reader, &text, limit, &["plain_text", "mrkdwn"]);
        }
    }
}

fn check_text(reader: &mut Reader, place: &Place<'_>, key: &str, limit: usize, kinds: &[&str]) {
    if let Some(text) = reader.required_child(place, key) {
        check_text_object(reader, &text, limit, kinds);
    }
}

fn check_text_object(reader: &mut Reader, text: &Place<'_>, limit: usize, kinds: &[&str]) {
    reader.one_of(text, "type", kinds, "a kind of text that is allowed here");
    let is_plain = text.object.get("type").and_then(Value::as_str) == Some("plain_text");
    reader.only(text, &["type", "text", if is_plain { "emoji" } else { "verbatim" }]);
    reader.required_text(text, "text", limit);
}

fn check_buttons(reader: &mut Reader, block: &Place<'_>) {
    let elements = some_of(reader, block, of_slack::ACTIONS);
    let mut ids: Vec<&str> = Vec::new();
    for (number, element) in elements.iter().enumerate() {
        let Some(button) = reader.object(element, format!("{}/{number}", block.at("elements"))) else {
            continue;
        };
        reader.only(&button, &["type", "text", "url", "value", "action_id", "style"]);
        reader.one_of(&button, "type", &["button"], "button");
        check_text(reader, &button, "text", of_slack::BUTTON, &["plain_text"]);
        reader.web_address(&button, "url", of_slack::URL);
        reader.text(&button, "value", of_slack::VALUE);
        if button.object.contains_key("style") {
            reader.one_of(&button, "style", &["primary", "danger"], "primary or danger");
        }
        let id = reader.required_text(&button, "action_id", of_slack::ID);
        if id.is_some_and(|id| ids.contains(&id)) {
            reader.add(button.at("action_id"), Fault::Expected("different from the others"));
        }
        ids.extend(id);
    }
}

/// What Slack may count: every text of a block but the names of its parts.
fn characters(value: &Value) -> usize {
    match value {
        Value::String(text) => units(text),
        Value::Array(list) => list.iter().map(characters).sum(),
        Value::Object(object) => {
            object.iter().filter(|(key, _)| *key != "type").map(|(_, value)| characters(value)).sum()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(message: &Value) -> Vec<String> {
        check_slack(message).iter().map(ToString::to_string).collect()
    }

    fn section(text: &str) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    }

    #[test]
    fn a_legal_message_has_no_fault() {
        let button = json!({"type": "button", "text": {"type": "plain_text", "text": "Logs"},
            "url": "https://example.com", "action_id": "logs"});
        let message = json!({"text": "a", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "a", "emoji": true}},
            section(&"x".repeat(3_000)),
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "a", "verbatim": true}]},
            {"type": "actions", "elements": [button]},
            {"type": "divider"},
        ], "attachments": [{"color": "#123456", "blocks": [
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}]}
        ]}]});
        assert_eq!(faults(&message), Vec::<String>::new());
        assert_eq!(slack_error(&check_slack(&message)), None);
    }

    #[test]
    fn a_section_that_is_too_long_is_refused_in_the_words_of_slack() {
        let message = json!({"text": "a", "blocks": [section(&"x".repeat(3_001))]});
        assert_eq!(
            faults(&message),
            ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
        );
        assert_eq!(slack_error(&check_slack(&message)), Some("invalid_blocks"));
    }

    #[test]
    fn too_much_in_total_is_refused() {
        let message = json!({"text": "a", "blocks": vec![section(&"x".repeat(2_500)); 5]});
        assert_eq!(slack_error(&check_slack(&message)), Some("msg_blocks_too_long"));
    }

    #[test]
    fn every_other_limit_is_checked() {
        let text = |length| json!({"type": "mrkdwn", "text": "x".repeat(length)});
        let button = |name: &str, id: &str, url: &str| json!({"type": "button", "text": {"type": "plain_text", "text": name}, "url": url, "action_id": id});
        let long = format!("https://{}", "x".repeat(3_000));
        for (blocks, pointer) in [
            (json!(vec![json!({"type": "divider"}); 51]), "/blocks"),
            (
                json!([{"type": "header", "text": {"type": "plain_text", "text": "x".repeat(151)}}]),
                "/blocks/0/text/text",
            ),
            (json!([{"type": "header", "text": text(1)}]), "/blocks/0/text/type"),
            (json!([{"type": "section", "fields": vec![text(1); 11]}]), "/blocks/0/fields"),
            (json!([{"type": "section", "fields": [text(2_001)]}]), "/blocks/0/fields/0/text"),
            (json!([{"type": "section"}]), "/blocks/0/text"),
            (json!([section("")]), "/blocks/0/text/text"),
            (json!([{"type": "context", "elements": vec![text(1); 11]}]), "/blocks/0/elements"),
            (json!([{"type": "context", "elements": []}]), "/blocks/0/elements"),
            (
                json!([{"type": "actions", "elements": [button(&"x".repeat(76), "a", "https://a")]}]),
                "/blocks/0/elements/0/text/text",
            ),
            (json!([{"type": "actions", "elements": [button("x", "a", &long)]}]), "/blocks/0/elements/0/url"),
            (json!([{"type": "actions", "elements": [button("x", "a", "a b")]}]), "/blocks/0/elements/0/url"),
            (
                json!([{"type": "actions", "elements": [button("x", "a", "https://a"), button("y", "a", "https://a")]}]),
                "/blocks/0/elements/1/action_id",
            ),
            (json!([{"type": "divider", "colour": "red"}]), "/blocks/0/colour"),
            (json!([{"type": "video"}]), "/blocks/0/type"),
            (json!({}), "/blocks"),
        ] {
            let found = check_slack(&json!({"text": "a", "blocks": blocks}));
            let pointers: Vec<&str> = found.iter().map(|violation| violation.pointer.as_str()).collect();
            assert!(pointers.contains(&pointer), "{pointer}: {pointers:?}");
        }
    }

    #[test]
    fn a_message_needs_a_text_and_attachments_have_an_error_of_their_own() {
        assert_eq!(slack_error(&check_slack(&json!({"blocks": []}))), Some("no_text"));
        let message = json!({"text": "a", "attachments": [{"blocks": [section("")]}]});
        assert_eq!(slack_error(&check_slack(&message)), Some("invalid_attachments"));
    }
}
