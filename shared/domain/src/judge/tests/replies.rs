//! What becomes a score, and what never does.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rubric::{Dimension, DimensionId, NOT_APPLICABLE, Scores};

fn id(text: &str) -> DimensionId {
    text.parse().unwrap()
}

fn good() -> Value {
    json!({
        "safety": {"reason": "Nothing harmful is said.", "score": "5"},
        "relevance": {"reason": "Answers the question about fees.", "score": "4"},
        "professional_tone": {"reason": "Short and courteous.", "score": "3"},
    })
}

fn sample() -> Sample {
    Sample::from_exchange(&full_exchange(), 10_000)
}

fn read_text(text: &str) -> Result<Scores, Malformed> {
    read_reply(&shipped(), &sample(), JudgeReply::Text(text))
}

fn read_value(value: &Value) -> Result<Scores, Malformed> {
    let from_value = read_reply(&shipped(), &sample(), JudgeReply::Structured(value));
    assert_eq!(from_value, read_text(&value.to_string()), "a text and a tool call are read alike");
    from_value
}

#[test]
fn a_good_reply_gives_scores_and_reasons() {
    let scores = read_value(&good()).unwrap();
    let of = |name: &str| scores.score(&id(name)).map(crate::rubric::Score::get);
    assert_eq!([of("safety"), of("relevance"), of("professional_tone")], [Some(1.0), Some(0.8), Some(0.6)]);
    let (_, first) = scores.iter().next().unwrap();
    assert_eq!(first.reason, "Short and courteous.");
    assert!(!format!("{scores:?}").contains("courteous"), "a reason does not get into a log");
}

#[test]
fn white_space_and_one_code_fence_may_stand_around_the_object() {
    let json = good().to_string();
    for text in [
        format!("\n  {json}\n"),
        format!("```json\n{json}\n```"),
        format!("```\n{json}\n```\n"),
        serde_json::to_string_pretty(&good()).unwrap(),
    ] {
        assert!(read_text(&text).is_ok(), "{text}");
    }
}

#[test]
fn whatever_is_not_one_object_has_a_name() {
    let json = good().to_string();
    let twice = json.replacen("\"score\":\"5\"", "\"score\":\"0\",\"score\":\"5\"", 1);
    let same_dimension_twice = json.replacen('{', "{\"safety\":{\"reason\":\"bad\",\"score\":\"0\"},", 1);
    let cases = [
        (String::new(), Malformed::Empty),
        (" \n\t".to_owned(), Malformed::Empty),
        ("```json\n```".to_owned(), Malformed::Empty),
        ("I cannot judge this.".to_owned(), Malformed::NotJson),
        ("5".to_owned(), Malformed::NotJson),
        (json.replace('"', "'"), Malformed::NotJson),
        (json.replace("\"5\"", "NaN"), Malformed::NotJson),
        (json.replace("\"5\"", "1e999"), Malformed::NotJson),
        (json.replace("harmful", "harm\u{1}ful"), Malformed::NotJson),
        ("[".repeat(5_000), Malformed::NotJson),
        (json[..json.len() - 1].to_owned(), Malformed::IncompleteJson),
        (json[..40].to_owned(), Malformed::IncompleteJson),
        (format!("Here is my verdict: {json}"), Malformed::ProseAroundJson),
        (format!("{json}\nI hope that helps."), Malformed::ProseAroundJson),
        (format!("Sure!\n```json\n{json}\n```"), Malformed::ProseAroundJson),
        (format!("```json\n{json}\n```\nDone."), Malformed::ProseAroundJson),
        (format!("```json\n{json}\n```\n```json\n{json}\n```"), Malformed::ProseAroundJson),
        (format!("{json}{json}"), Malformed::SeveralValues),
        (format!("{json}\n[1]"), Malformed::SeveralValues),
        (format!("[{json}]"), Malformed::NotAnObject),
        (twice, Malformed::DuplicateKey),
        (same_dimension_twice, Malformed::DuplicateKey),
    ];
    for (text, wanted) in cases {
        assert_eq!(read_text(&text), Err(wanted), "{text:.80}");
    }
}

#[test]
fn whatever_does_not_fit_the_rubric_has_a_name() {
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut value = good();
        edit(&mut value);
        read_value(&value)
    };
    let scored = |score: Value| edited(&|value| value["safety"]["score"] = score.clone());
    let reasoned = |reason: Value| edited(&|value| value["safety"]["reason"] = reason.clone());

    // The same level as a whole number says the same.
    assert_eq!(scored(json!(5)), read_value(&good()));
    for off in
        [json!("6"), json!("-1"), json!(6), json!(-1), json!("yes"), json!("five"), json!(" 5"), json!("5.0")]
    {
        assert_eq!(scored(off.clone()), Err(Malformed::OutOfScale), "{off}");
    }
    for wrong in [json!(4.0), json!(4.5), json!(9.2e124), json!(true), json!(null), json!(["5"]), json!({})] {
        assert_eq!(scored(wrong.clone()), Err(Malformed::WrongType), "{wrong}");
    }
    assert_eq!(scored(json!("n/a")), Err(Malformed::NotApplicableRefused));

    for empty in ["", " \n", "-", "...", "\u{200b}"] {
        assert_eq!(reasoned(json!(empty)), Err(Malformed::EmptyReason), "{empty:?}");
    }
    assert_eq!(reasoned(json!(["because"])), Err(Malformed::WrongType));

    let without = |key: &str| {
        edited(&|value| {
            value["safety"].as_object_mut().unwrap().remove(key);
        })
    };
    assert_eq!(without("reason"), Err(Malformed::MissingField));
    assert_eq!(without("score"), Err(Malformed::MissingField));
    assert_eq!(edited(&|value| value["safety"]["confidence"] = json!(1)), Err(Malformed::UnknownField));
    assert_eq!(edited(&|value| value["safety"] = json!("5")), Err(Malformed::NotAnObject));
    assert_eq!(edited(&|value| value["charm"] = value["safety"].clone()), Err(Malformed::UnknownDimension));
    assert_eq!(edited(&|value| *value = json!({"verdict": value})), Err(Malformed::UnknownDimension));
    assert_eq!(
        edited(&|value| {
            value.as_object_mut().unwrap().remove("safety");
        }),
        Err(Malformed::MissingDimension)
    );
    assert_eq!(read_value(&json!({})), Err(Malformed::MissingDimension));
    let a_text = Value::String(good().to_string());
    assert_eq!(
        read_reply(&shipped(), &sample(), JudgeReply::Structured(&a_text)),
        Err(Malformed::NotAnObject)
    );
}

#[test]
fn names_are_the_ones_that_serde_writes_and_carry_no_text() {
    for malformed in Malformed::ALL {
        assert_eq!(serde_json::to_value(malformed).unwrap(), malformed.as_str());
    }
    let unique: std::collections::BTreeSet<Malformed> = Malformed::ALL.into_iter().collect();
    assert_eq!(unique.len(), Malformed::ALL.len());
}

#[test]
fn a_long_reason_is_cut() {
    let mut value = good();
    value["safety"]["reason"] = json!("ä".repeat(5_000));
    let scores = read_value(&value).unwrap();
    let (_, judged) = scores.iter().find(|(name, _)| name.as_str() == "safety").unwrap();
    assert_eq!(judged.reason.chars().count(), 603);
}

/// A legal reply to the rubric with everything on.
fn reply_to_everything(label: impl Fn(&Dimension) -> &'static str) -> Value {
    let entry = |dimension: &Dimension| {
        let judgement = json!({"reason": "Because of the second sentence.", "score": label(dimension)});
        (dimension.id.to_string(), judgement)
    };
    Value::Object(everything_on().enabled().map(entry).collect())
}

#[test]
fn what_does_not_apply_gets_no_score_whatever_the_judge_says() {
    let rubric = everything_on();
    let best = reply_to_everything(|dimension| dimension.scale.labels().last().unwrap());
    let read = |sample: &Sample| read_reply(&rubric, sample, JudgeReply::Structured(&best)).unwrap();
    let has = |scores: &Scores, name: &str| scores.score(&id(name)).is_some();

    let all = read(&sample());
    assert!(has(&all, "grounding") && has(&all, "coherence"));

    let plain = read(&Sample::from_exchange(&exchange(&[(Role::User, "Hi")], "Hello"), 1_000));
    assert!(!has(&plain, "grounding") && !has(&plain, "coherence") && has(&plain, "safety"));

    let long = "x".repeat(1_000);
    let turns = [(Role::Tool, long.as_str()), (Role::User, "Hi")];
    let cut = read(&Sample::from_exchange(&exchange(&turns, "Hello"), 500));
    assert!(!has(&cut, "grounding"));
}

#[test]
fn the_judge_may_say_that_a_dimension_does_not_apply_where_the_rubric_lets_it() {
    let not_applicable = reply_to_everything(|dimension| {
        if dimension.applies_to.may_not_apply() { NOT_APPLICABLE } else { dimension.scale.labels()[0] }
    });
    let scores = read_reply(&everything_on(), &sample(), JudgeReply::Structured(&not_applicable)).unwrap();
    assert_eq!(scores.iter().filter(|(_, judged)| judged.score.is_none()).count(), 4);
    assert_eq!(scores.composite(), crate::rubric::Score::WORST);
}

/// One way to break a legal reply.
#[derive(Debug, Clone)]
enum Breakage {
    DropDimension,
    AddDimension(String),
    DropField(&'static str),
    AddField(String),
    Score(Value),
    Reason(Value),
    Entry(Value),
}

fn any_breakage() -> impl Strategy<Value = Breakage> {
    let wrong = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|flag| json!(flag)),
        any::<f64>().prop_map(|number| json!(number + 0.5)),
        (6_i64..).prop_map(|number| json!(number)),
        (..0_i64).prop_map(|number| json!(number)),
        "[A-Z ]{0,5}".prop_map(|text| json!(text)),
        Just(json!([])),
        Just(json!({})),
    ];
    let wrong_reason = prop_oneof![Just(json!("")), Just(json!(7)), Just(json!(null)), Just(json!({"a": 1}))];
    prop_oneof![
        Just(Breakage::DropDimension),
        "[A-Z]{1,8}".prop_map(Breakage::AddDimension),
        prop::sample::select(vec!["reason", "score"]).prop_map(Breakage::DropField),
        "[A-Z]{1,8}".prop_map(Breakage::AddField),
        wrong.clone().prop_map(Breakage::Score),
        wrong_reason.prop_map(Breakage::Reason),
        wrong.prop_map(Breakage::Entry),
    ]
}

proptest! {
    #[test]
    fn a_broken_reply_never_gives_scores(
        which in prop::sample::select(vec!["safety", "relevance", "professional_tone"]),
        breakage in any_breakage(),
    ) {
        let mut value = good();
        let entry = &mut value[which];
        match breakage {
            Breakage::DropDimension => drop(value.as_object_mut().unwrap().remove(which)),
            Breakage::AddDimension(name) => value[name] = json!({"reason": "because", "score": "5"}),
            Breakage::DropField(name) => drop(entry.as_object_mut().unwrap().remove(name)),
            Breakage::AddField(name) => entry[name] = json!("5"),
            Breakage::Score(score) => entry["score"] = score,
            Breakage::Reason(reason) => entry["reason"] = reason,
            Breakage::Entry(other) => *entry = other,
        }
        prop_assert!(read_value(&value).is_err());
    }

    #[test]
    fn reading_never_panics(text in ".{0,80}", at in 0_usize..400) {
        let _ = read_text(&text);
        let json = good().to_string();
        let at = at % json.len();
        let _ = read_text(&format!("{}{text}{}", &json[..at], &json[at..]));
        prop_assert!(read_text(&json[..at]).is_err(), "a part of a reply is no reply");
    }
}
