//! The texts and the schema, as they go out.

use super::*;

#[test]
fn the_system_text() {
    insta::assert_snapshot!("system_text", system_text(&shipped()));
}

#[test]
fn the_system_text_says_what_may_not_apply() {
    let text = system_text(&everything_on());
    assert_eq!(text.matches("Needs context. n/a: the message says so").count(), 3);
    assert_eq!(text.matches("Needs earlier turns. n/a: the message says so.").count(), 1);
}

#[test]
fn the_instruction_for_models_without_structured_output() {
    insta::assert_snapshot!("text_instruction", text_instruction(&everything_on()));
}

#[test]
fn the_schema() {
    insta::assert_snapshot!("schema", verdict_schema_text(&shipped()));
}

#[test]
fn the_schema_stays_inside_the_subset_that_the_service_takes() {
    fn look(schema: &serde_json::Value) {
        let Some(schema) = schema.as_object() else { return };
        for (keyword, value) in schema {
            match keyword.as_str() {
                "type" => assert!(value == "object" || value == "string"),
                "additionalProperties" => assert_eq!(value, false),
                "enum" => assert!(value.as_array().unwrap().iter().all(serde_json::Value::is_string)),
                "required" => {
                    let properties: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
                    let required: Vec<&str> =
                        value.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
                    assert_eq!(properties, required, "every property, in the same order");
                }
                "properties" => value.as_object().unwrap().values().for_each(look),
                other => panic!("{other} may not be supported"),
            }
        }
    }
    look(&verdict_schema(&everything_on()));
}

#[test]
fn the_reason_comes_before_the_score() {
    let text = verdict_schema_text(&everything_on());
    for judgement in text.split("\"properties\":{").skip(2) {
        assert!(judgement.find("\"reason\"") < judgement.find("\"score\""), "{judgement}");
    }
    assert_eq!(text, verdict_schema_text(&everything_on()), "the same bytes every time");
}

#[test]
fn the_user_text_of_a_full_sample() {
    let sample = Sample::from_exchange(&full_exchange(), 10_000);
    insta::assert_snapshot!("user_text", user_text(&sample, &nonce()));
}

#[test]
fn the_user_text_confirms_what_was_cut() {
    let long = "long ".repeat(100);
    let turns =
        [(Role::User, long.as_str()), (Role::Assistant, "yes"), (Role::Tool, &long), (Role::User, "why?")];
    let text = user_text(&Sample::from_exchange(&exchange(&turns, &long), 300), &nonce());
    let facts: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
    insta::assert_snapshot!("facts_of_a_cut_sample", facts.join("\n"));
}

#[test]
fn the_bound_of_input_tokens_counts_every_byte_of_the_sample() {
    assert_eq!(input_tokens_at_most("", "", ""), 1_000);
    assert_eq!(input_tokens_at_most("abcd", "abc", "äöü"), 4 + 6 + 1_000);
}

#[test]
fn the_prompt_hash_depends_on_both_texts() {
    let hash = prompt_hash("a", "b");
    assert_eq!(hash.len(), 64);
    assert_ne!(hash, prompt_hash("ab", ""));
    assert_ne!(hash, prompt_hash("b", "a"));
}

#[test]
fn nothing_captured_and_no_nonce_is_shown_by_debug() {
    let sample = Sample::from_exchange(&full_exchange(), 10_000);
    let shown = format!("{sample:?} {:?} {:?}", nonce(), JudgeReply::Text("secret"));
    for hidden in ["bank", "fees", "EUR", "0123", "secret"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}
