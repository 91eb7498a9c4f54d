use proptest::prelude::*;

use super::*;
use crate::fleet::Fleet;

const UUID: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

const LISTED: &str = r#"
    [attribution.models]
    "openai/gpt-oss-20b" = "gpt-oss-20b"
    "llama" = "not-on-this-endpoint"
    [attribution.key_prefixes]
    "captures/" = "qwen-7b"
    "captures/blue/" = "gpt-oss-20b"
    [[endpoint]]
    name = "chat"
    components = ["gpt-oss-20b", "qwen-7b"]
    models = { "Qwen/Qwen2.5-7B-Instruct" = "qwen-7b" }
    [[endpoint]]
    name = "single"
    components = ["only"]
"#;

/// The metadata of a record, as JSON members, attributed on an endpoint.
fn attributed(
    fleet: &str,
    endpoint: &str,
    key: &str,
    metadata: &str,
    model: Option<&str>,
) -> (String, &'static str) {
    let fleet = Fleet::from_toml("fleet.toml", fleet).unwrap();
    let line = format!(
        r#"{{"captureData":{{}},"eventMetadata":{{"eventId":"e","inferenceTime":"2026-01-01T00:00:00Z"{metadata}}}}}"#
    );
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    let attribution = fleet.attribute(&endpoint.parse().unwrap(), key, &record, model);
    (attribution.component.to_string(), attribution.by.as_str())
}

fn on_chat(metadata: &str, model: Option<&str>) -> (String, &'static str) {
    attributed(LISTED, "chat", "x/y", metadata, model)
}

fn header(value: &str) -> String {
    format!(r#","customAttributes":[{value:?}]"#)
}

fn id(value: &str) -> String {
    format!(r#","inferenceId":"{value}""#)
}

#[test]
fn each_source_names_the_component() {
    let expect = |name: &str, by: &'static str| (name.to_owned(), by);
    assert_eq!(on_chat(&header("tenant=x;ic=qwen-7b"), None), expect("qwen-7b", "custom_attributes"));
    assert_eq!(on_chat(&id("qwen-7b:42"), None), expect("qwen-7b", "inference_id"));
    assert_eq!(on_chat("", Some("openai/gpt-oss-20b")), expect("gpt-oss-20b", "model"));
    assert_eq!(on_chat("", Some("Qwen/Qwen2.5-7B-Instruct")), expect("qwen-7b", "model"));
    let by_key = |key: &str| attributed(LISTED, "chat", key, "", None);
    assert_eq!(by_key("captures/chat/a.jsonl"), expect("qwen-7b", "key_prefix"));
    assert_eq!(by_key("captures/blue/chat/a.jsonl"), expect("gpt-oss-20b", "key_prefix"));
    assert_eq!(attributed(LISTED, "single", "k", "", None), expect("only", "single_component"));
    assert_eq!(on_chat("", Some("unheard-of")), expect("unattributed", "unattributed"));
}

#[test]
fn what_is_illegal_or_not_of_the_endpoint_goes_to_the_next_source() {
    let model = Some("openai/gpt-oss-20b");
    for metadata in [
        header("ic=other-component"),
        header("ic=bad name"),
        header("ic=unattributed"),
        id("nobody:42"),
        id("no-colon"),
        header("ic=") + &id(":"),
    ] {
        assert_eq!(on_chat(&metadata, model), ("gpt-oss-20b".to_owned(), "model"), "{metadata}");
    }
    assert_eq!(on_chat("", Some("llama")).1, "unattributed", "mapped to a component of another endpoint");
}

#[test]
fn the_order_is_the_files() {
    let text = format!("[attribution]\norder = ['inference_id']\n{LISTED}");
    let metadata = header("ic=qwen-7b") + &id("gpt-oss-20b:1");
    let got = attributed(&text, "chat", "k", &metadata, None);
    assert_eq!(got, ("gpt-oss-20b".to_owned(), "inference_id"));
    let none = attributed("[attribution]\norder = []\n", "chat", "k", &metadata, None);
    assert_eq!(none.1, "unattributed");
}

#[test]
fn on_an_unlisted_endpoint_an_id_needs_a_uuid() {
    let unlisted = |metadata: &str| attributed("", "chat", "k", metadata, None);
    assert_eq!(unlisted(&id(&format!("qwen-7b:{UUID}"))).0, "qwen-7b");
    assert_eq!(unlisted(&id("order:17")).0, "unattributed");
    assert_eq!(unlisted(&header("ic=qwen-7b")).0, "qwen-7b");
}

#[test]
fn an_event_id_stands_in_for_an_inference_id() {
    let fleet = Fleet::from_toml("fleet.toml", "").unwrap();
    let line = format!(
        r#"{{"captureData":{{}},"eventMetadata":{{"eventId":"qwen-7b:{UUID}","inferenceTime":"2026-01-01T00:00:00Z"}}}}"#
    );
    let record = CaptureRecord::parse(line.as_bytes()).unwrap();
    let attribution = fleet.attribute(&"chat".parse().unwrap(), "k", &record, None);
    assert_eq!((attribution.component.as_str(), attribution.by), ("qwen-7b", AttributedBy::InferenceId));
}

#[test]
fn callers_cannot_name_components_without_end() {
    let fleet = Fleet::from_toml("fleet.toml", "[attribution]\nmax_unlisted_components = 2\n").unwrap();
    let endpoint: EndpointName = "chat".parse().unwrap();
    let mut limit = fleet.unlisted_limit();
    let named = |name: &str, unlisted| Attribution {
        component: name.parse().unwrap(),
        by: AttributedBy::CustomAttributes,
        unlisted,
    };
    let mut admitted =
        |name: &str, unlisted| limit.admit(&endpoint, named(name, unlisted)).component.to_string();
    assert_eq!(admitted("a", true), "a");
    assert_eq!(admitted("b", true), "b");
    assert_eq!(admitted("c", true), "unattributed");
    assert_eq!(admitted("a", true), "a", "who was believed stays believed");
    assert_eq!(admitted("d", false), "d", "the operator's own names are not counted");
}

proptest! {
    #[test]
    fn only_listed_components_come_out_of_any_header(header in ".{0,80}", id in ".{0,80}", model in ".{0,20}") {
        let members = format!(
            r#","customAttributes":[{}],"inferenceId":{}"#,
            serde_json::to_string(&format!("ic={header}")).unwrap(),
            serde_json::to_string(&id).unwrap(),
        );
        let (name, _) = on_chat(&members, Some(&model));
        prop_assert!(["gpt-oss-20b", "qwen-7b", "unattributed"].contains(&name.as_str()));
    }
}
