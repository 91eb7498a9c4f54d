//! Links between the pages of this repository lead to pages and headings that are there, tests that they name
//! are there too, and the page for security reviews leaves out no permission.
#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Pages below `folder`, without what is built or installed.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// A page without its code blocks.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    text.split("\n```").step_by(2).collect()
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(page: &Path) -> BTreeSet<String> {
    let anchor = |line: &str| {
        let title = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
        Some(kept.map(|it| if it == ' ' { '-' } else { it }).collect())
    };
    prose(page).lines().filter_map(anchor).collect()
}

/// `a/../b` as `b`, whether it is there or not.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn links_between_pages_lead_somewhere() {
    let root = root();
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let mut all = Vec::new();
    pages(&root, &mut all);
    let (mut broken, mut seen) = (Vec::new(), 0);
    for page in all {
        for target in link.captures_iter(&prose(&page)).map(|found| found[1].to_owned()) {
            if target.starts_with("http") || target.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file =
                if path.is_empty() { page.clone() } else { plain(&page.with_file_name("").join(path)) };
            let is_page = file.extension().is_some_and(|extension| extension == "md");
            if !file.exists() || is_page && !anchor.is_empty() && !anchors(&file).contains(anchor) {
                broken.push(format!("{}: {target}", page.strip_prefix(&root).unwrap().display()));
            }
        }
    }
    assert!(seen > 50, "only {seen} links were found");
    assert!(broken.is_empty(), "these links lead nowhere:\n{}", broken.join("\n"));
}

/// All Rust code below a folder.
fn code(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => code(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    };
    entries.map(text).collect()
}

/// A name of five words or more is that of a test, and so is one behind that of its file.
#[test]
fn every_test_that_a_page_names_is_there() {
    let root = root();
    let named = Regex::new(r"`(?:([a-z_]+)::)?([a-z0-9]+(?:_[a-z0-9]+){2,})`").unwrap();
    let everywhere: String =
        ["functions", "shared", "tests"].iter().map(|folder| code(&root.join(folder))).collect();
    let mut all = Vec::new();
    pages(&root, &mut all);
    let (mut missing, mut seen) = (Vec::new(), 0);
    for page in all {
        for found in named.captures_iter(&prose(&page)) {
            let (file, name) = (found.get(1).map(|file| file.as_str()), &found[2]);
            let text = file.map(|file| {
                let path = root.join(format!("tests/end_to_end/{file}.rs"));
                fs::read_to_string(path).unwrap_or_default()
            });
            if text.is_some() || name.matches('_').count() >= 4 {
                seen += 1;
                if !text.as_ref().unwrap_or(&everywhere).contains(&format!("fn {name}(")) {
                    missing.push(format!("{}: {}", page.strip_prefix(&root).unwrap().display(), &found[0]));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} names of tests were found");
    assert!(missing.is_empty(), "no such test:\n{}", missing.join("\n"));
}

#[test]
fn every_permission_of_a_function_is_in_the_security_page() {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let (_, table) = page.split_once("\n## Permissions\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let action = Regex::new(r"^ +(?:Action: |- )([a-z]+:[A-Z][A-Za-z]+)$").unwrap();
    let actions: BTreeSet<&str> = template
        .lines()
        .filter_map(|line| action.captures(line)?.get(1))
        .map(|found| found.as_str())
        .collect();
    assert!(actions.len() > 15, "only {actions:?} were found: did the template change its form?");
    let is_named = |action: &str| {
        // Behind the first of a service only the verb stands.
        let verb = action.split(':').nth(1).unwrap();
        table.contains(&format!("`{action}`")) || table.contains(&format!("`{verb}`"))
    };
    let missing: Vec<&&str> = actions.iter().filter(|action| !is_named(action)).collect();
    assert!(missing.is_empty(), "add to the permissions in docs/security.md: {missing:?}");
}
