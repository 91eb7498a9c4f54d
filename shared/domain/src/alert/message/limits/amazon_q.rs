//! A custom notification to Amazon Q in chat applications, read as it would.

use serde_json::Value;

use super::reader::Reader;
use super::{Fault, Violation, of_amazon_q};

/// Everything that is wrong with a custom notification (Amazon Q Developer in chat applications,
/// administrator guide, custom notifications). What is wrong is dropped by the service without a
/// word to the sender.
pub fn check_amazon_q(message: &Value) -> Vec<Violation> {
    let mut reader = Reader::default();
    reader.fits_bytes(message, of_amazon_q::MESSAGE_BYTES);
    let Some(message) = reader.object(message, String::new()) else { return reader.finish() };
    reader.only(&message, &["version", "source", "id", "content", "metadata"]);
    reader.one_of(&message, "version", &["1.0"], "1.0");
    reader.one_of(&message, "source", &["custom"], "custom");
    reader.text(&message, "id", usize::MAX);
    if let Some(content) = reader.required_child(&message, "content") {
        reader.only(&content, &["textType", "title", "description", "nextSteps", "keywords"]);
        if content.object.contains_key("textType") {
            reader.one_of(&content, "textType", &["client-markdown"], "client-markdown");
        }
        reader.text(&content, "title", of_amazon_q::TITLE);
        reader.required_text(&content, "description", of_amazon_q::DESCRIPTION);
        reader.texts(&content, "nextSteps", usize::MAX, usize::MAX);
        reader.texts(&content, "keywords", usize::MAX, usize::MAX);
    }
    if let Some(metadata) = reader.child(&message, "metadata") {
        let known = ["threadId", "summary", "eventType", "relatedResources", "additionalContext"];
        reader.only(&metadata, &known);
        reader.text(&metadata, "threadId", usize::MAX);
        reader.text(&metadata, "summary", of_amazon_q::SUMMARY);
        reader.text(&metadata, "eventType", usize::MAX);
        reader.texts(&metadata, "relatedResources", usize::MAX, usize::MAX);
        if let Some(context) = reader.child(&metadata, "additionalContext") {
            for (key, _) in context.object.iter().filter(|(_, value)| !value.is_string()) {
                reader.add(context.at(key), Fault::Expected("a text"));
            }
        }
    }
    reader.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_guide_asks_for_is_checked() {
        let legal = json!({"version": "1.0", "source": "custom", "content": {"description": "a"}});
        assert_eq!(check_amazon_q(&legal), []);
        for (pointer, value) in [
            ("/version", json!("1.1")),
            ("/source", json!("grafana")),
            ("/content", json!(null)),
            ("/content/description", json!("")),
        ] {
            let mut message = legal.clone();
            *message.pointer_mut(pointer).unwrap() = value;
            let found = check_amazon_q(&message);
            assert!(found.iter().any(|violation| violation.pointer == pointer), "{pointer}: {found:?}");
        }
    }
}
