//! The files in `dashboards/`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::super::{files, json, shipped_files};
use super::Given;

#[test]
fn the_committed_files_are_the_generated_ones() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards");
    let generated = shipped_files().unwrap();
    let advice = "run: make dashboards";
    for (name, text) in &generated {
        let committed =
            fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}; {advice}"));
        assert!(committed == *text, "dashboards/{name} is not as generated; {advice}");
    }
    let known: Vec<&str> = generated.iter().map(|(name, _)| name.as_str()).collect();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let is_json = Path::new(&name).extension().is_some_and(|extension| extension == "json");
        assert!(!is_json || known.contains(&name.as_str()), "nothing generates dashboards/{name}: delete it");
    }
}

#[test]
fn the_text_is_the_same_at_every_call_and_in_every_build() {
    assert_eq!(shipped_files().unwrap(), shipped_files().unwrap());
    let unsorted = serde_json::json!({"b": 1, "a": [{"d": 1, "c": 2}]});
    let text = json::text(&unsorted);
    let order: Vec<usize> =
        ["\"a\"", "\"c\"", "\"d\"", "\"b\""].iter().map(|key| text.find(key).unwrap()).collect();
    assert!(order.is_sorted(), "{text}");
    assert_eq!(json::number(10_000_000.0).to_string(), "10000000");
    assert_eq!(json::number(0.85).to_string(), "0.85");
}

#[test]
fn one_stack_deploys_nothing_under_the_uid_of_another() {
    let (mine, other) = (Given::shipped(), Given::renamed());
    let uids = |given: &Given| -> Vec<String> {
        let texts: Vec<String> = files(&given.settings()).into_iter().map(|(_, text)| text).collect();
        let lines = texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains("\"uid\": \"a"));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    let (mine, other) = (uids(&mine), uids(&other));
    assert!(mine.len() > 20 && mine.iter().all(|uid| !other.contains(uid)));
}

#[test]
fn what_is_shown_and_what_is_watched() {
    let given = Given::shipped();
    let mut text = String::new();
    for board in given.boards() {
        writeln!(text, "{}", board.kind.title()).unwrap();
        let ids: Vec<(u32, String)> = board.panels().map(|(id, panel)| (id, panel.key.clone())).collect();
        for row in &board.rows {
            writeln!(text, "  {}", row.title).unwrap();
            for panel in &row.panels {
                let id = ids.iter().find(|(_, key)| *key == panel.key).unwrap().0;
                let limits = panel.limits.as_deref().map(|name| format!(" | {name}")).unwrap_or_default();
                writeln!(text, "    {id} {} [{}]{limits}", panel.title, panel.unit.grafana_id()).unwrap();
            }
        }
    }
    for rule in given.book().rules {
        writeln!(
            text,
            "{} | {} {} | for {} s | {}",
            rule.name, rule.measure, rule.limit, rule.hold, rule.runbook
        )
        .unwrap();
    }
    insta::assert_snapshot!(text);
}
