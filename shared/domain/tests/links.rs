//! Links between the pages of this repository lead to pages and headings that are there.
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
