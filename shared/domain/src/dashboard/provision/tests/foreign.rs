//! What is somebody else's stays as it is.

use serde_json::json;

use super::{Given, Grafana, rule};

#[test]
fn two_stacks_in_one_grafana_do_not_touch_each_other() {
    let (one, other) = (Given::of("assay"), Given::of("assay-2"));
    let mut grafana = Grafana::default();
    one.apply(&mut grafana);
    let alone = grafana.clone();
    other.apply(&mut grafana);
    assert_eq!(one.apply(&mut grafana), [""; 0]);
    assert_eq!(other.apply(&mut grafana), [""; 0]);
    other.remove(&mut grafana);
    grafana.groups.truncate(alone.groups.len());
    assert_eq!(grafana, alone);
}

#[test]
fn what_somebody_put_beside_ours_survives_update_and_removal() {
    let given = Given::shipped();
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    // In our folder, in our group, a copy of a rule of ours, and a dashboard with our tag.
    let mut copy = grafana.rules[0].clone();
    copy["uid"] = "ab12cd34".into();
    let own = rule("theirs", "assay-folder", "assay-quality-rules", "platform");
    grafana.rules.extend([own.clone(), copy.clone()]);
    let board = json!({"dashboard": {"uid": "theirs", "title": "Theirs", "tags": ["assay"]}, "meta": {"folderUid": "assay-folder"}});
    grafana.dashboards.push(board.clone());
    assert_eq!(given.apply(&mut grafana), [""; 0]);
    // The group is written as a whole; what is theirs is written with it.
    grafana.rules[1]["title"] = "changed".into();
    assert_eq!(given.apply(&mut grafana), ["updated rules assay-quality-rules"]);
    for (uid, title) in [("theirs", "theirs"), ("ab12cd34", copy["title"].as_str().unwrap())] {
        let kept = grafana.rules.iter().find(|rule| rule["uid"] == uid).unwrap();
        assert_eq!(kept["title"], title);
    }
    let found = grafana.found(&given.stack.identity, &given.wanted());
    let plan = super::super::remove(&given.stack.identity, &found);
    assert!(plan.notes[0].contains("the folder assay-folder stays") && plan.notes[0].contains("Theirs"));
    given.remove(&mut grafana);
    assert_eq!(grafana.dashboards, [board]);
    assert_eq!(
        grafana.rules.iter().map(|rule| rule["uid"].as_str().unwrap()).collect::<Vec<_>>(),
        ["theirs", "ab12cd34"]
    );
    assert_eq!(grafana.folders.len(), 1);
    assert!(grafana.contact_points.is_empty() && grafana.data_sources.is_empty());
}

#[test]
fn everything_under_our_uids_that_is_not_ours_is_named_and_nothing_is_done() {
    let given = Given::shipped();
    let mut grafana = Grafana::default();
    grafana.data_sources.push(json!({"uid": "assay-cloudwatch", "type": "prometheus"}));
    let board = json!({"uid": "assay-quality", "title": "Mine", "tags": []});
    grafana.dashboards.push(json!({"dashboard": board, "meta": {}}));
    grafana.contact_points.push(json!({"uid": "other", "name": "assay-sns", "type": "email"}));
    grafana.rules.push(rule("assay-low-safety-critical", "elsewhere", "g", "terraform"));
    let refusal = given.refusal(&grafana);
    for named in [
        "data source assay-cloudwatch of type prometheus",
        "dashboard assay-quality (\"Mine\")",
        "contact point assay-sns (email)",
        "rule assay-low-safety-critical",
        "Rename or remove them",
    ] {
        assert!(refusal.contains(named), "{named} is not in {refusal}");
    }
    // A creation that failed so is rolled back: nothing of theirs may go then.
    let before = grafana.clone();
    assert_eq!(given.remove(&mut grafana), [""; 0]);
    assert_eq!(grafana, before);
}

#[test]
fn what_a_file_provisions_is_not_fought_over() {
    let given = Given::shipped();
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    grafana.data_sources[0]["readOnly"] = true.into();
    assert_eq!(given.apply(&mut grafana), [""; 0]);
    grafana.data_sources[0]["jsonData"]["defaultRegion"] = "us-east-1".into();
    grafana.dashboards[0]["meta"]["provisioned"] = true.into();
    grafana.rules[0]["provenance"] = "file".into();
    grafana.contact_points[0]["provenance"] = "file".into();
    let refusal = given.refusal(&grafana);
    let kinds = [
        "data source assay-cloudwatch, which",
        "dashboard assay-quantity, which",
        "rule assay-",
        "contact point",
    ];
    assert!(kinds.iter().all(|kind| refusal.contains(kind)), "{refusal}");
}
