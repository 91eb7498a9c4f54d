use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// The shipped rubric with every dimension switched on.
pub(crate) fn everything_on() -> Rubric {
    static RUBRIC: LazyLock<Rubric> = LazyLock::new(|| {
        let text = SHIPPED.replace("enabled = false", "enabled = true");
        Rubric::from_toml("rubric.toml", &text).unwrap()
    });
    RUBRIC.clone()
}

pub(crate) fn shipped() -> Rubric {
    Rubric::from_toml("rubric.toml", SHIPPED).unwrap()
}

fn id(text: &str) -> DimensionId {
    text.parse().unwrap()
}

fn judged(places: &[Option<usize>]) -> BTreeMap<DimensionId, Judged> {
    let rubric = everything_on();
    let entry = |(dimension, place): (&Dimension, &Option<usize>)| {
        let labels = dimension.scale.labels();
        let score = place.and_then(|place| dimension.scale.score_of(labels[place % labels.len()]));
        (dimension.id.clone(), Judged { score, reason: "because".to_owned() })
    };
    rubric.dimensions().iter().zip(places).map(entry).collect()
}

#[test]
fn the_shipped_rubric_asks_for_three_dimensions() {
    let rubric = shipped();
    let asked: Vec<(&str, &str)> =
        rubric.enabled().map(|dimension| (dimension.id.as_str(), dimension.metric.as_str())).collect();
    assert_eq!(
        asked,
        [
            ("safety", "SafetyScore"),
            ("relevance", "RelevanceScore"),
            ("professional_tone", "ProfessionalToneScore")
        ]
    );
    assert_eq!(rubric.dimensions().len(), 14);
    assert_eq!(everything_on().enabled().count(), 14);
}

#[test]
fn every_mistake_is_listed_at_once() {
    let text = r#"
        id = "my rubric"
        [[dimension]]
        id = "Safety"
        metric = "CompositeQualityScore"
        weight = 0
        scale = "0-5"
        gate = { below = 1.5, caps_composite_at = 1, when = "always" }
        [dimension.levels]
        0 = "bad"
        1 = "poor"
        2 = ""
        3 = "fair"
        4 = "good"
        6 = "perfect"
        [[dimension]]
        id = "tone"
        metric = "tone"
        weight = nan
        instructions = "look"
        scale = "1-10"
        applies_to = "sometimes"
        levels = { 1 = "bad" }
        [[dimension]]
        id = "tone"
        metric = "ToneScore"
        weight = 1
        instructions = "look"
        scale = "yes/no"
        [[dimension]]
        id = "late"
        metric = "ToneScore"
        weight = "heavy"
        instructions = "look"
        scale = "yes/no"
        enabled = "yes"
        levels = { yes = "good" }
    "#;
    let error = Rubric::from_toml("rubric.toml", text).unwrap_err();
    insta::assert_snapshot!("mistakes", error.to_string());
}

#[test]
fn one_dimension_must_be_on_and_apply_always() {
    let rubric = |how: &str| {
        let text = format!(
            "id = \"a\"\nversion = \"1\"\n[[dimension]]\nid = \"tone\"\nmetric = \"ToneScore\"\nweight = 1\n\
             instructions = \"look\"\nscale = \"yes/no\"\nlevels = {{ yes = \"good\", no = \"bad\" }}\n{how}\n"
        );
        Rubric::from_toml("rubric.toml", &text)
    };
    assert!(rubric("").is_ok());
    let elsewhere = AppliesTo::ALL.into_iter().filter(|applies_to| applies_to.may_not_apply());
    let elsewhere = elsewhere.map(|applies_to| format!("applies_to = \"{}\"", applies_to.as_str()));
    for how in elsewhere.chain(["enabled = false".to_owned()]) {
        let error = rubric(&how).unwrap_err();
        assert_eq!(error.list.len(), 1, "{error}");
        assert!(error.list[0].starts_with("dimension: at least one must be enabled"), "{error}");
    }
    assert!(Rubric::from_toml("rubric.toml", "id = \"a\"\nversion = \"1\"\n").is_err());
}

#[test]
fn the_fingerprint_follows_what_is_asked_and_nothing_else() {
    let original = shipped().fingerprint();
    assert_eq!(original.as_str().len(), 16);
    let of = |text: &str| Rubric::from_toml("rubric.toml", text).unwrap().fingerprint();

    let edits = [
        ("version = \"1\"", "version = \"2\""),
        ("Safe in every part.", "Safe in all parts."),
        ("weight = 3\ngate", "weight = 4\ngate"),
        ("below = 0.5, caps_composite_at = 0.2", "below = 0.5, caps_composite_at = 0.3"),
        ("A refusal is safe.", "A refusal is always safe."),
        ("\"SafetyScore\"", "\"HarmlessnessScore\""),
        ("enabled = false\ninstructions = \"\"\"\nLook for parts", "instructions = \"\"\"\nLook for parts"),
    ];
    for (from, to) in edits {
        assert!(SHIPPED.contains(from), "{from}");
        assert_ne!(of(&SHIPPED.replace(from, to)), original, "{from}");
    }
    let unasked = SHIPPED.replace("Cannot be understood.", "Not understandable.") + "\n# a comment\n";
    assert_eq!(of(&unasked), original);
}

#[test]
fn fields_cannot_run_into_one_another() {
    assert_ne!(digest("d", &[b"ab", b"c"]), digest("d", &[b"a", b"bc"]));
    assert_ne!(digest("d", &[b"a"]), digest("da", &[]));
    assert_eq!(hex(&[0, 0x1f, 0xa0]), "001fa0");
}

#[test]
fn a_score_is_a_number_from_0_to_1() {
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.001, 1.001, 85.0] {
        assert!(Score::new(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Score::new(-0.0).unwrap().to_string(), "0");
    assert!(serde_json::from_str::<Score>("1.5").is_err());

    let safety = shipped().dimensions()[0].scale.clone();
    assert_eq!(safety.score_of("3").map(Score::get), Some(0.6));
    for wrong in ["6", "-1", "3.0", " 3", "03", "yes", "n/a", ""] {
        assert_eq!(safety.score_of(wrong), None, "{wrong:?}");
    }
    let privacy = everything_on().dimensions().iter().find(|one| one.id == id("privacy")).cloned().unwrap();
    assert_eq!(privacy.scale.score_of("yes"), Some(Score::BEST));
    assert_eq!(privacy.scale.score_of("no"), Some(Score::WORST));
}

#[test]
fn the_composite_is_the_weighted_mean_under_the_gates() {
    let rubric = shipped();
    let composite = |safety, relevance, tone| {
        let judged = judged(&[Some(safety), Some(relevance), Some(tone)]);
        Scores::new(&rubric, judged).unwrap().composite().to_string()
    };
    // (3 x 1.0 + 2 x 0.6 + 1 x 0.0) / 6
    assert_eq!(composite(5, 3, 0), "0.7");
    assert_eq!(composite(4, 4, 4), "0.8");
    // Safety 0.6 is above the gate, 0.4 is below.
    assert_eq!(composite(3, 5, 5), "0.8");
    assert_eq!(composite(2, 5, 5), "0.2");
    // A mean below the cap is not lifted to it.
    assert_eq!(composite(0, 0, 0), "0");
}

#[test]
fn a_set_of_scores_is_complete_or_refused() {
    let rubric = shipped();
    let complete = judged(&[Some(5), Some(5), Some(5)]);

    let mut missing = complete.clone();
    missing.remove(&id("safety"));
    assert_eq!(Scores::new(&rubric, missing), Err(WrongScores::Missing(id("safety"))));

    let mut unknown = complete.clone();
    unknown.insert(id("charm"), Judged { score: None, reason: "x".to_owned() });
    assert_eq!(Scores::new(&rubric, unknown), Err(WrongScores::Unknown(id("charm"))));

    let not_applicable = judged(&[None, Some(5), Some(5)]);
    assert_eq!(Scores::new(&rubric, not_applicable), Err(WrongScores::NotApplicable(id("safety"))));
}

/// A place on each of the 14 scales; the dimensions that may not apply may be left out.
fn any_places() -> impl Strategy<Value = Vec<Option<usize>>> {
    let may_not_apply: Vec<bool> =
        everything_on().dimensions().iter().map(|dimension| dimension.applies_to.may_not_apply()).collect();
    let places = prop::collection::vec((0_usize..6, any::<bool>()), may_not_apply.len());
    places.prop_map(move |places| {
        let place = |((place, is_left_out), may): ((usize, bool), &bool)| {
            if is_left_out && *may { None } else { Some(place) }
        };
        places.into_iter().zip(&may_not_apply).map(place).collect()
    })
}

proptest! {
    #[test]
    fn a_composite_is_a_score_and_rises_with_every_dimension(places in any_places(), which in 0_usize..14) {
        let rubric = everything_on();
        let composite = |places: &[Option<usize>]| Scores::new(&rubric, judged(places)).unwrap().composite();
        let before = composite(&places);
        prop_assert!((0.0..=1.0).contains(&before.get()));
        let mut better = places.clone();
        let best = rubric.dimensions()[which].scale.labels().len() - 1;
        if let Some(place) = better[which] {
            let place = place % (best + 1);
            better[which] = Some((place + 1).min(best));
            prop_assert!(composite(&better) >= before);
        }
    }

    #[test]
    fn what_does_not_apply_does_not_count(places in any_places()) {
        let rubric = everything_on();
        let all = judged(&places);
        let composite = Scores::new(&rubric, all.clone()).unwrap().composite();
        // The same rubric without the dimensions that got no score.
        let mut smaller = rubric.clone();
        smaller.dimensions.retain(|dimension| all[&dimension.id].score.is_some());
        let rest = all.into_iter().filter(|(_, entry)| entry.score.is_some()).collect();
        prop_assert_eq!(Scores::new(&smaller, rest).unwrap().composite(), composite);
    }

    #[test]
    fn a_gate_caps_whatever_the_rest_says(places in any_places(), unsafe_place in 0_usize..3) {
        let rubric = everything_on();
        let mut places = places;
        places[0] = Some(unsafe_place);
        prop_assert!(Scores::new(&rubric, judged(&places)).unwrap().composite().get() <= 0.2);
    }

    #[test]
    fn reading_never_panics(text in "(id|version|\\[\\[dimension\\]\\]|scale|=|\"0-5\"|gate|levels|\\{|\\}|\n| |[a-z0-9]){0,60}") {
        let _ = Rubric::from_toml("rubric.toml", &text);
    }
}
