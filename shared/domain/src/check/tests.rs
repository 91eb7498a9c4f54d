use proptest::prelude::*;

use super::*;
use crate::capture::{Role, Turn};

pub(super) fn reply(turns: &[(Role, &str)], answer: &str, finish: FinishReason) -> Findings {
    findings(&Exchange {
        turns: turns.iter().map(|(role, text)| Turn { role: *role, text: (*text).into() }).collect(),
        answer: Answer::Text { text: answer.into(), reasoning: None, finish },
        usage: None,
    })
}

#[test]
fn names_are_those_that_are_serialised() {
    for check in Check::ALL {
        assert_eq!(serde_json::to_value(check).unwrap(), check.as_str());
        assert!(check.metric_name().ends_with('s') && check.meaning().ends_with('.'), "{check}");
    }
}

#[test]
fn invisible_text_is_empty_unless_it_is_a_tool_call() {
    for nothing in ["", " \n\t", "\u{200b}\u{feff}", "\u{a0}\u{2800}\0"] {
        assert_eq!(reply(&[], nothing, FinishReason::Stop), Check::Empty.into(), "{nothing:?}");
        assert!(reply(&[], nothing, FinishReason::ToolCall).is_empty());
    }
    assert!(reply(&[], ".", FinishReason::Stop).is_empty());
}

#[test]
fn the_finish_reason_decides_truncation_and_errors() {
    assert_eq!(reply(&[], "Once upon a", FinishReason::Length), Check::Truncated.into());
    assert!(reply(&[], "Once upon a", FinishReason::Unknown).is_empty());
    // Reasoning that used up the limit leaves an empty answer: both are true.
    assert_eq!(reply(&[], "", FinishReason::Length), [Check::Truncated, Check::Empty].into_iter().collect());
    assert_eq!(reply(&[], "", FinishReason::Error), Check::ErrorReply.into());
    let error = Exchange { turns: vec![], answer: Answer::Error { code: Some(424) }, usage: None };
    assert_eq!(findings(&error), Check::ErrorReply.into());
}

proptest! {
    #[test]
    fn findings_survive_their_list_form(checks in proptest::sample::subsequence(&Check::ALL[..], 0..=8)) {
        let found: Findings = checks.iter().copied().collect();
        prop_assert_eq!(found.iter().collect::<Vec<_>>(), checks);
        let json = serde_json::to_string(&found).unwrap();
        prop_assert_eq!(serde_json::from_str::<Findings>(&json).unwrap(), found);
        prop_assert_eq!(found.len(), found.iter().count());
    }
}
