//! What is ours comes, changes and goes.

use serde_json::{Value, json};

use super::{Given, Grafana};

#[test]
fn the_first_deployment_makes_everything_in_the_order_of_its_references() {
    let mut grafana = Grafana::default();
    let done = Given::shipped().apply(&mut grafana);
    let expected = [
        "created folder assay-folder",
        "created data source assay-cloudwatch",
        "created dashboard assay-quantity",
        "created dashboard assay-quality",
        "created dashboard assay-models",
        "created contact point assay-sns",
        "created rules assay-quality-rules",
        "created rules assay-serving-rules",
        "created rules assay-capacity-rules",
    ];
    assert_eq!(done, expected);
    assert!(grafana.rules.len() > 20);
    assert!(grafana.rules.iter().all(|rule| rule["provenance"] == "" && rule["folderUID"] == "assay-folder"));
}

#[test]
fn a_second_deployment_changes_nothing_on_every_version() {
    for version in ["9.4", "10.4", "11.6", "12.4", "13.0"] {
        let given = Given { version, endpoint: Some("chat"), engine: true, ..Given::shipped() };
        let mut grafana = Grafana::default();
        assert!(given.apply(&mut grafana).len() >= 10, "{version}");
        let before = grafana.clone();
        assert_eq!(given.apply(&mut grafana), [""; 0], "{version}");
        assert_eq!(grafana, before, "{version}");
    }
}

#[test]
fn removal_leaves_what_was_there_before_and_can_be_repeated() {
    for version in ["10.4", "12.4"] {
        let given = Given { version, endpoint: Some("chat"), engine: true, ..Given::shipped() };
        let before = Grafana::default();
        let mut grafana = before.clone();
        given.apply(&mut grafana);
        let done = given.remove(&mut grafana);
        assert_eq!(done.first().map(|one| one.starts_with("deleted rule ")), Some(true), "{done:?}");
        assert_eq!(done.last().map(String::as_str), Some("deleted folder assay-folder"));
        grafana.groups.clear();
        assert_eq!(grafana, before, "{version}");
        assert_eq!(given.remove(&mut grafana), [""; 0]);
    }
}

#[test]
fn what_a_person_changed_is_set_right_again() {
    let given = Given { version: "11.6", ..Given::shipped() };
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    let right = grafana.clone();
    grafana.dashboards[1]["dashboard"]["panels"].as_array_mut().unwrap().pop();
    grafana.rules[0]["for"] = "1h".into();
    grafana.contact_points[0]["settings"]["topic"] = "arn:aws:sns:us-east-1:1:elsewhere".into();
    grafana.policies["routes"][0]["receiver"] = "elsewhere".into();
    let expected = [
        "updated dashboard assay-quality",
        "updated contact point assay-sns",
        "updated route to assay-sns",
        "updated rules assay-quality-rules",
    ];
    assert_eq!(given.apply(&mut grafana), expected);
    for dashboard in &right.dashboards {
        assert!(grafana.dashboards.contains(dashboard));
    }
    assert!(right.rules.iter().all(|rule| grafana.rules.contains(rule)));
    assert_eq!(grafana.policies, right.policies);
}

#[test]
fn what_a_person_decided_stays() {
    let given = Given::shipped();
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    let assumed = json!("arn:aws:iam::123456789012:role/other-account");
    grafana.data_sources[0]["jsonData"]["assumeRoleArn"] = assumed.clone();
    grafana.data_sources[0]["isDefault"] = true.into();
    grafana.folders[0]["title"] = "Our own name".into();
    let uid = grafana.rules[0]["uid"].clone();
    grafana.rules[0]["isPaused"] = true.into();
    assert_eq!(given.apply(&mut grafana), [""; 0]);
    // Also when something else has to change.
    grafana.rules[1]["title"] = "Another title".into();
    grafana.data_sources[0]["jsonData"]["authType"] = "keys".into();
    let expected = ["updated data source assay-cloudwatch", "updated rules assay-quality-rules"];
    assert_eq!(given.apply(&mut grafana), expected);
    let paused: Vec<&Value> = grafana.rules.iter().filter(|rule| rule["isPaused"] == true).collect();
    assert!(paused.len() == 1 && paused[0]["uid"] == uid);
    assert_eq!(grafana.data_sources[0]["jsonData"]["assumeRoleArn"], assumed);
    assert_eq!(grafana.data_sources[0]["jsonData"]["authType"], "default");
    assert_eq!(grafana.data_sources[0]["isDefault"], true);
}

#[test]
fn what_is_no_longer_wanted_goes() {
    let mut grafana = Grafana::default();
    let with_engine = Given { engine: true, ..Given::shipped() };
    with_engine.apply(&mut grafana);
    let mut fewer = Given::shipped();
    let rules = crate::alert::rules::SHIPPED;
    let start = rules.find("GPUMemoryUtilizationNormalized").unwrap();
    let start = rules[..start].rfind('\n').unwrap() + 1;
    let end = start + rules[start..].find('\n').unwrap();
    let without = format!("{}{}", &rules[..start], &rules[end..]);
    fewer.stack.rules = crate::alert::rules::Rules::from_toml("alerts.toml", &without).unwrap();
    let done = fewer.apply(&mut grafana);
    assert!(done.contains(&"deleted dashboard assay-engine".to_owned()), "{done:?}");
    assert!(done.contains(&"deleted rule assay-gpu-memory-critical".to_owned()), "{done:?}");
    // The links to it are gone too.
    assert!(done.contains(&"updated dashboard assay-quality".to_owned()), "{done:?}");
    assert_eq!(fewer.apply(&mut grafana), [""; 0]);
}

#[test]
fn an_upgrade_to_12_takes_our_route_out_of_the_shared_policy() {
    let mut grafana = Grafana::default();
    let before = grafana.policies.clone();
    Given { version: "11.6", ..Given::shipped() }.apply(&mut grafana);
    assert_ne!(grafana.policies, before);
    let done = Given::on("12.4").apply(&mut grafana);
    assert_eq!(done.last().map(String::as_str), Some("deleted route to assay-sns"), "{done:?}");
    assert_eq!(grafana.policies, before);
    assert!(grafana.rules.iter().all(|rule| rule["notification_settings"]["receiver"] == "assay-sns"));
}

#[test]
fn what_was_written_without_the_header_is_changed_without_it() {
    let given = Given { version: "11.6", ..Given::shipped() };
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    for object in grafana.rules.iter_mut().chain(&mut grafana.contact_points) {
        object["provenance"] = "api".into();
    }
    assert_eq!(given.apply(&mut grafana), [""; 0]);
    grafana.rules[0]["title"] = "changed".into();
    grafana.contact_points[0]["settings"]["topic"] = "changed".into();
    given.apply(&mut grafana);
    assert!(grafana.rules.iter().all(|rule| rule["provenance"] == "api"));
    assert_eq!(grafana.contact_points[0]["provenance"], "api");
}
