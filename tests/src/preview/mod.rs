//! A Slack message as HTML, about as Slack shows it: to look at alerts without a workspace.
//!
//! Knows the part of Block Kit that Assay sends (docs.slack.dev, reference of blocks, and
//! formatting message text). Everything is escaped; what it does not know it names.

mod text;

use serde_json::Value;

pub use text::message_text;

/// One message in one page.
#[derive(Debug, Clone, Copy)]
pub struct Preview<'a> {
    /// What stands above the message.
    pub title: &'a str,
    /// The message and its replies, as sent to Slack.
    pub messages: &'a [Value],
}

/// A whole page with each preview under its title.
pub fn page(previews: &[Preview<'_>]) -> String {
    let mut html = String::from(HEAD);
    for Preview { title, messages } in previews {
        html.push_str(&element("h2", "", &plain(title)));
        for (number, message) in messages.iter().enumerate() {
            let class = if number == 0 { "message" } else { "message reply" };
            html.push_str(&element("div", class, &message_html(message)));
        }
    }
    html.push_str("</body></html>\n");
    html
}

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Alerts, as Slack shows them</title><style>
body { font: 15px/1.47 Lato, "Segoe UI", Roboto, "Noto Sans", "Noto Color Emoji", sans-serif; color: #1d1c1d; max-width: 780px; margin: 24px auto; padding: 0 16px; }
h2 { font-size: 13px; color: #616061; border-bottom: 1px solid #ddd; margin: 40px 0 12px; }
.message { padding: 8px 0 8px 44px; position: relative; }
.message::before { content: "A"; position: absolute; left: 0; top: 10px; width: 36px; height: 36px; line-height: 36px; text-align: center; background: #1f4e5f; color: #fff; border-radius: 6px; font-weight: 700; }
.reply { margin-left: 44px; border-left: 1px solid #ddd; padding-left: 60px; }
.reply::before { left: 16px; }
.sender { font-weight: 900; } .app { background: #e8e8e8; color: #616061; font-size: 10px; padding: 1px 3px; border-radius: 2px; margin-left: 4px; vertical-align: 1px; }
.header { font-size: 18px; font-weight: 900; margin: 4px 0 8px; }
.section, .context, .actions, .fields { margin: 8px 0; overflow-wrap: anywhere; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 16px; }
.context { font-size: 13px; color: #616061; }
.button { display: inline-block; border: 1px solid #bbb; border-radius: 4px; padding: 3px 12px; margin: 0 8px 4px 0; font-weight: 700; font-size: 13px; color: #1d1c1d; text-decoration: none; }
.bar { border-left: 4px solid #ddd; padding-left: 12px; margin: 4px 0; }
blockquote { border-left: 4px solid #ddd; margin: 0; padding-left: 10px; }
code { background: #f7f7f7; border: 1px solid #ddd; border-radius: 3px; color: #c01343; padding: 1px 3px; font-size: 12px; }
.unknown { color: #d63232; font-weight: 700; }
</style></head><body>
"#;

fn message_html(message: &Value) -> String {
    let mut html = element("span", "sender", "Assay") + &element("span", "app", "APP");
    let blocks = list(&message["blocks"]);
    // Slack shows the text only when there are no blocks above the attachments.
    if blocks.is_empty() {
        html.push_str(&element("div", "section", &formatted(text(message))));
    }
    html.push_str(&blocks.iter().map(block_html).collect::<String>());
    for attachment in list(&message["attachments"]) {
        let blocks: String = list(&attachment["blocks"]).iter().map(block_html).collect();
        let color = attachment["color"].as_str().filter(|color| is_color(color)).unwrap_or("#dddddd");
        html.push_str(
            &["<div class=\"bar\" style=\"border-color: ", color, "\">", &blocks, "</div>"].concat(),
        );
    }
    html
}

fn block_html(block: &Value) -> String {
    match block["type"].as_str() {
        Some("header") => element("div", "header", &text_html(&block["text"])),
        Some("section") => {
            let text = Some(&block["text"]).filter(|text| text.is_object());
            let text = text.map(|text| element("div", "section", &text_html(text))).unwrap_or_default();
            let fields: String =
                list(&block["fields"]).iter().map(|field| element("div", "", &text_html(field))).collect();
            let fields = if fields.is_empty() { fields } else { element("div", "fields", &fields) };
            text + &fields
        }
        Some("context") => {
            let texts: Vec<String> = list(&block["elements"]).iter().map(text_html).collect();
            element("div", "context", &texts.join("<br>"))
        }
        Some("actions") => {
            element("div", "actions", &list(&block["elements"]).iter().map(button_html).collect::<String>())
        }
        Some("divider") => "<hr>".to_owned(),
        other => {
            let kind = plain(other.unwrap_or("without a type"));
            element("div", "unknown", &["block of a kind that is not known here: ", &kind].concat())
        }
    }
}

fn button_html(button: &Value) -> String {
    let url = button["url"].as_str().unwrap_or_default();
    link(url, &text_html(&button["text"]), "button")
}

fn text_html(object: &Value) -> String {
    if object["type"] == "plain_text" { plain(text(object)) } else { formatted(text(object)) }
}

fn text(object: &Value) -> &str {
    object["text"].as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn element(name: &str, class: &str, html: &str) -> String {
    let class = if class.is_empty() { String::new() } else { [" class=\"", class, "\""].concat() };
    ["<", name, &class, ">", html, "</", name, ">"].concat()
}

/// Only web addresses become links: a page that is looked at must not run what an alert holds.
fn link(url: &str, html: &str, class: &str) -> String {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return element("span", "unknown", &[html, " (no web address)"].concat());
    }
    ["<a class=\"", class, "\" href=\"", &plain(url), "\" rel=\"noreferrer\">", html, "</a>"].concat()
}

fn is_color(text: &str) -> bool {
    text.len() == 7 && text.starts_with('#') && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Without formatting.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "<br>")
}

/// With Slack's formatting: `*bold*`, `_slanted_`, `~gone~`, code, quotations, links, dates. Every
/// line by itself.
fn formatted(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.strip_prefix("&gt; ").or_else(|| line.strip_prefix("> ")) {
            Some(quoted) => element("blockquote", "", &line_html(quoted)),
            None => line_html(line) + "<br>",
        })
        .collect();
    lines.concat()
}

fn line_html(line: &str) -> String {
    let mut html = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let after_word = html.ends_with(|last: char| last.is_alphanumeric());
        let marked = match first {
            '*' if !after_word => {
                between(rest, '*').map(|(inside, rest)| (element("b", "", &line_html(inside)), rest))
            }
            '_' if !after_word => {
                between(rest, '_').map(|(inside, rest)| (element("i", "", &line_html(inside)), rest))
            }
            '~' if !after_word => {
                between(rest, '~').map(|(inside, rest)| (element("s", "", &line_html(inside)), rest))
            }
            '`' => between(rest, '`')
                .map(|(inside, rest)| (element("code", "", &plain(&unescaped(inside))), rest)),
            '<' => rest[1..].split_once('>').map(|(inside, rest)| (command(inside), rest)),
            _ => None,
        };
        if let Some((piece, after)) = marked {
            html.push_str(&piece);
            rest = after;
        } else {
            // An entity of Slack's is the same in HTML.
            let entity = ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| rest.starts_with(entity));
            let length = entity.map_or(first.len_utf8(), str::len);
            html.push_str(&entity.map_or_else(|| plain(&rest[..length]), str::to_owned));
            rest = &rest[length..];
        }
    }
    html
}

/// What stands between two marks, and what follows; nothing when the text touches a mark with a space.
fn between(text: &str, mark: char) -> Option<(&str, &str)> {
    let (inside, after) = text[mark.len_utf8()..].split_once(mark)?;
    let is_marked = !inside.is_empty() && !inside.starts_with(' ') && !inside.ends_with(' ');
    (is_marked && !after.starts_with(char::is_alphanumeric)).then_some((inside, after))
}

/// What stands between angle brackets: a date, a link, or something that would ping people.
fn command(inside: &str) -> String {
    let (target, label) = inside.split_once('|').unwrap_or((inside, inside));
    if target.starts_with("!date^") {
        return plain(&unescaped(label));
    }
    if target.starts_with("https://") || target.starts_with("http://") {
        return link(&unescaped(target), &plain(&unescaped(label)), "");
    }
    element("span", "unknown", &["PING ", &plain(inside)].concat())
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(message: &Value) -> String {
        page(&[Preview { title: "t", messages: std::slice::from_ref(message) }]).replace(HEAD, "")
    }

    #[test]
    fn blocks_are_shown_with_their_bar_and_their_formatting() {
        let html = shown(&json!({"text": "never shown", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "*A* <b>"}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* a_b_c &lt;x&gt;\n&gt; said"}},
            {"type": "actions", "elements": [{"type": "button", "url": "https://a/?b&c", "text": {"type": "plain_text", "text": "Go"}}]},
        ], "attachments": [{"color": "#d63232", "blocks": [
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "*F*\n1"}]},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "at <!date^0^{time}|1970 UTC>"}]},
        ]}]}));
        for expected in [
            "<div class=\"header\">*A* &lt;b&gt;</div>",
            "<b>bold</b> a_b_c &lt;x&gt;<br><blockquote>said</blockquote>",
            "<a class=\"button\" href=\"https://a/?b&amp;c\" rel=\"noreferrer\">Go</a>",
            "style=\"border-color: #d63232\"",
            "<div class=\"fields\"><div><b>F</b><br>1<br></div></div>",
            "<div class=\"context\">at 1970 UTC<br></div>",
        ] {
            assert!(html.contains(expected), "{expected} in {html}");
        }
        assert!(!html.contains("never shown"));
    }

    #[test]
    fn nothing_in_a_message_becomes_html_and_a_ping_is_seen() {
        let hostile = "<script>alert(1)</script><img src=x onerror=y> \"><b>";
        let html = shown(&json!({"text": hostile, "attachments": [{"color": "red\" onload=\"x", "blocks": [
            {"type": hostile},
            {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel> `</code>`"}},
            {"type": "actions", "elements": [{"type": "button", "url": "javascript:alert(1)", "text": {"type": "plain_text", "text": hostile}}]},
        ]}]}));
        for forbidden in ["<script", "<img", "onload", "href=\"javascript", "</code></code>"] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert!(html.contains("PING !channel"), "{html}");
    }
}
