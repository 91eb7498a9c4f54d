//! Each rule has its page in `docs/runbooks/`, and each page its rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Given;

fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut pages = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "README" {
            pages.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    pages
}

#[test]
fn each_rule_has_its_page_and_each_page_its_rule() {
    let book = Given::with_every_dimension().book();
    let wanted: BTreeSet<&str> = book.rules.iter().map(|rule| rule.runbook).collect();
    let pages = pages();
    let written: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(wanted, written);
}

#[test]
fn the_index_names_every_page_once_and_every_link_leads_somewhere() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    for (name, text) in pages() {
        assert_eq!(
            index.matches(&format!("[{name}]({name}.md)")).count(),
            1 + usize::from(name == "low-safety"),
            "{name}"
        );
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            let is_elsewhere = link.is_empty() || link.starts_with("https://");
            assert!(is_elsewhere || folder.join(link).exists(), "{name}.md links to {link}");
        }
    }
}

#[test]
fn each_page_tells_the_person_who_was_paged_what_to_do() {
    let book = Given::with_every_dimension().book();
    for (name, text) in pages() {
        for heading in [
            "## What it means",
            "## Look at first",
            "## Likely causes",
            "## What to do",
            "## Silence",
            "## Escalate",
        ] {
            assert!(text.contains(&format!("\n{heading}\n")), "{name}.md has no {heading:?}");
        }
        assert!(text.contains("```"), "{name}.md has no command");
        assert!(text.lines().count() <= 70, "{name}.md is too long for somebody who was just woken");
        let measures: BTreeSet<&str> =
            book.rules.iter().filter(|rule| rule.runbook == name).map(|rule| rule.measure.as_str()).collect();
        if measures.len() == 1 {
            assert!(
                measures.iter().all(|measure| text.contains(*measure)),
                "{name}.md does not name {measures:?}"
            );
        }
    }
}
