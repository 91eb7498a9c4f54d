//! What is taken from an exchange, and what is cut.

use proptest::prelude::*;

use super::*;
use crate::rubric::AppliesTo;

#[test]
fn every_turn_finds_its_slot() {
    let sample = Sample::from_exchange(&full_exchange(), 10_000);
    assert_eq!(sample.system_prompt().text(), "You are the assistant of a bank.");
    assert_eq!(sample.context().text(), "Fees: the basic account costs 3 EUR a month.");
    assert_eq!(sample.question().text(), "What does the basic account cost?");
    assert_eq!(sample.answer().text(), "The basic account costs 3 EUR a month.");
    let earlier: Vec<(Role, &str)> =
        sample.earlier().iter().map(|(role, turn)| (*role, turn.text())).collect();
    assert_eq!(earlier, [(Role::User, "Hello, can I ask about fees?"), (Role::Assistant, "Of course.")]);
    assert!(!sample.was_cut());
    for applies_to in AppliesTo::ALL {
        assert_eq!(sample.applicability(applies_to), Applicability::Applies);
    }
}

#[test]
fn the_question_is_the_last_one_although_a_tool_spoke_after_it() {
    let turns = [(Role::User, "Weather?"), (Role::Assistant, "{\"call\":1}"), (Role::Tool, "Rain.")];
    let sample = Sample::from_exchange(&exchange(&turns, "It rains."), 1_000);
    assert_eq!(sample.question().text(), "Weather?");
    assert_eq!(sample.context().text(), "Rain.");
    assert_eq!(sample.applicability(AppliesTo::MultiTurn), Applicability::Absent);
    assert_eq!(sample.applicability(AppliesTo::WithContext), Applicability::Applies);
}

#[test]
fn an_error_reply_and_an_empty_exchange_give_an_empty_sample() {
    let broken = Exchange { turns: Vec::new(), answer: Answer::Error { code: Some(424) }, usage: None };
    let sample = Sample::from_exchange(&broken, 100);
    assert_eq!((sample.question().text(), sample.answer().text()), ("", ""));
    assert_eq!(sample.applicability(AppliesTo::Always), Applicability::Applies);
}

#[test]
fn head_and_tail_stay_with_the_number_of_characters_between() {
    let excerpt = Excerpt::of("äöüäöüäöü!", 5);
    assert_eq!(excerpt.text(), "äöü\n[... 5 characters cut ...]\nü!");
    assert_eq!(excerpt.cut_chars(), 5);
    assert_eq!(Excerpt::of("äöü", 3).text(), "äöü");
    assert_eq!(Excerpt::of("äöü", 0).text(), "\n[... 3 characters cut ...]\n");
}

#[test]
fn the_answer_and_the_question_are_kept_before_the_rest() {
    let long = "x".repeat(1_000);
    let (question, answer) = ("q".repeat(200), "a".repeat(400));
    let turns = [
        (Role::System, long.as_str()),
        (Role::User, &long),
        (Role::Assistant, &long),
        (Role::Tool, &long),
        (Role::User, &question),
    ];
    let exchange = exchange(&turns, &answer);
    let sample = Sample::from_exchange(&exchange, 1_000);
    assert_eq!((sample.answer().cut_chars(), sample.question().cut_chars()), (0, 0));
    assert_eq!(sample.context().cut_chars(), 800);
    assert_eq!(sample.system_prompt().cut_chars(), 900);
    assert_eq!(sample.earlier()[0].1.cut_chars(), 900);
    assert_eq!(sample.earlier_left_out(), 1);
    assert_eq!(sample.answer_chars(), 400);
}

#[test]
fn what_is_cut_is_not_asked_about() {
    let long = "x".repeat(1_000);
    let with = |context: &str, earlier: &str, answer: &str| {
        let turns = [(Role::User, earlier), (Role::Tool, context), (Role::User, "why?")];
        let sample = Sample::from_exchange(&exchange(&turns, answer), 1_000);
        assert!(sample.was_cut());
        assert_eq!(sample.applicability(AppliesTo::Whole), Applicability::Cut);
        (sample.applicability(AppliesTo::WithContext), sample.applicability(AppliesTo::MultiTurn))
    };
    assert_eq!(with(&long, "hi", "because"), (Applicability::Cut, Applicability::Applies));
    assert_eq!(with("Rain.", &long, "because"), (Applicability::Applies, Applicability::Cut));
    assert_eq!(with("Rain.", "hi", &long), (Applicability::Cut, Applicability::Cut));
}

/// An application may paste its documents into the question or into the instructions.
#[test]
fn a_dimension_about_pasted_documents_is_not_asked_about_cut_ones() {
    let documents = "The basic account costs 3 EUR a month. ".repeat(100);
    let pasted = [
        vec![(Role::User, documents.as_str())],
        vec![(Role::System, documents.as_str()), (Role::User, "What does it cost?")],
    ];
    for turns in pasted {
        let exchange = exchange(&turns, "3 EUR.");
        let whole = |max_chars| Sample::from_exchange(&exchange, max_chars).applicability(AppliesTo::Whole);
        assert_eq!((whole(10_000), whole(1_000)), (Applicability::Applies, Applicability::Cut));
    }
}

#[test]
fn a_long_conversation_keeps_its_latest_turns() {
    let turns: Vec<(Role, String)> = (0..60)
        .map(|number| (if number % 2 == 0 { Role::User } else { Role::Assistant }, format!("turn {number}")))
        .chain([(Role::User, "last".to_owned())])
        .collect();
    let turns: Vec<(Role, &str)> = turns.iter().map(|(role, text)| (*role, text.as_str())).collect();
    let sample = Sample::from_exchange(&exchange(&turns, "yes"), 100_000);
    assert_eq!((sample.earlier().len(), sample.earlier_left_out()), (20, 40));
    assert_eq!(sample.earlier()[19].1.text(), "turn 59");
    assert_eq!(sample.applicability(AppliesTo::MultiTurn), Applicability::Cut);
}

fn any_role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::System, Role::User, Role::Assistant, Role::Tool])
}

proptest! {
    #[test]
    fn a_sample_is_bounded_and_only_cut_when_it_must_be(
        turns in prop::collection::vec((any_role(), "(a|ä|€|😀|\n){0,60}"), 0..30),
        answer in "(b|ß|日|👩‍👩‍👧){0,80}",
        max_chars in 0_usize..1_500,
    ) {
        let turns: Vec<(Role, &str)> = turns.iter().map(|(role, text)| (*role, text.as_str())).collect();
        let exchange = exchange(&turns, &answer);
        let sample = Sample::from_exchange(&exchange, max_chars);

        let mut slots = vec![sample.system_prompt(), sample.context(), sample.question(), sample.answer()];
        slots.extend(sample.earlier().iter().map(|(_, turn)| turn));
        let shown: usize = slots.iter().map(|slot| slot.text().chars().count()).sum();
        let markers = slots.iter().filter(|slot| slot.cut_chars() > 0).count() * 50;
        prop_assert!(shown <= max_chars + markers);

        let all: usize = turns.iter().map(|(_, text)| text.chars().count() + 2).sum();
        let everything_fits = all + answer.chars().count() <= max_chars && sample.earlier_left_out() == 0;
        prop_assert!(!(everything_fits && sample.was_cut()));
        if !sample.was_cut() {
            prop_assert_eq!(sample.answer().text(), answer.as_str());
        }
    }

    #[test]
    fn an_excerpt_has_the_head_and_the_tail(text in "(a|ä|€|😀){0,40}", max_chars in 0_usize..50) {
        let excerpt = Excerpt::of(&text, max_chars);
        let chars = text.chars().count();
        prop_assert_eq!(excerpt.cut_chars(), chars.saturating_sub(max_chars));
        if excerpt.cut_chars() > 0 {
            let marker = format!("\n[... {} characters cut ...]\n", excerpt.cut_chars());
            let (head, tail) = excerpt.text().split_once(&marker).unwrap();
            prop_assert!(text.starts_with(head) && text.ends_with(tail));
            prop_assert_eq!(head.chars().count() + tail.chars().count(), max_chars);
        }
    }
}
