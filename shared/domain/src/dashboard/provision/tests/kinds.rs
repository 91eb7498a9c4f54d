//! Versions and kinds of Grafana.

use serde_json::{Value, json};

use super::super::{Host, Refusal, sns_shape};
use super::{Given, Grafana, TOPIC, rule};
use crate::dashboard::grafana::SnsShape;

#[test]
fn an_old_grafana_watches_one_named_endpoint() {
    let version = "10.4".parse().unwrap();
    assert_eq!(Given::on("10.4").try_wanted().unwrap_err(), Refusal::NeedsEndpoint(version));
    let one = Given { endpoint: Some("chat"), ..Given::on("10.4") }.wanted();
    let asked = one.groups[0]["rules"][0]["data"][0]["model"]["dimensions"]["EndpointName"].clone();
    assert_eq!(asked, json!(["chat"]));
    let all = Given::on("12.4").wanted();
    assert_eq!(all.groups[0]["rules"][0]["data"][0]["model"]["dimensions"]["EndpointName"], json!(["*"]));
    assert_eq!(Given::on("8.4").try_wanted().unwrap_err(), Refusal::TooOld("8.4".parse().unwrap()));
}

#[test]
fn rules_name_the_contact_point_from_12_on_and_a_route_does_before() {
    let old = Given::on("11.6").wanted();
    let new = Given::on("12.4").wanted();
    assert_eq!(old.route.as_ref().unwrap()["receiver"], "assay-sns");
    assert!(old.groups[0]["rules"][0]["notification_settings"].is_null());
    assert!(new.route.is_none());
    assert_eq!(new.groups[0]["rules"][0]["notification_settings"]["receiver"], "assay-sns");
}

#[test]
fn the_settings_of_sns_are_those_that_the_grafana_lists() {
    let kind = |options: &[&str]| {
        let options: Vec<Value> = options.iter().map(|name| json!({"propertyName": name})).collect();
        json!([{"type": "email", "options": []}, {"type": "sns", "options": options}])
    };
    for (notifiers, host, shape) in [
        (kind(&["topic", "authProvider"]), Host::OpenSource, SnsShape::Managed),
        (kind(&["api_url", "sigv4", "topic_arn"]), Host::Managed, SnsShape::OpenSource),
        (kind(&["topic", "topic_arn"]), Host::Managed, SnsShape::Both),
        (kind(&[]), Host::Managed, SnsShape::Managed),
        (Value::Null, Host::OpenSource, SnsShape::OpenSource),
        (json!({"message": "?"}), Host::Managed, SnsShape::Managed),
    ] {
        assert_eq!(sns_shape(&notifiers, host), Ok(shape), "{notifiers}");
    }
    assert_eq!(sns_shape(&json!([{"type": "email"}]), Host::Managed), Err(Refusal::NoSns));
    let (managed, open) = Given::shipped().wanted().contact_points;
    assert_eq!(
        managed["settings"],
        json!({"topic": TOPIC, "authProvider": "default", "messageFormat": "json"})
    );
    assert_eq!(open["settings"], json!({"topic_arn": TOPIC, "sigv4": {"region": "eu-central-1"}}));
}

#[test]
fn dashboards_start_with_our_data_source_and_link_only_what_is_deployed() {
    let without = Given::shipped().wanted();
    assert_eq!(without.dashboards.len(), 3);
    for dashboard in &without.dashboards {
        assert_eq!(dashboard["templating"]["list"][0]["current"]["value"], "assay-cloudwatch");
        assert!(!dashboard["links"].to_string().contains("assay-engine"));
    }
    let with = Given { engine: true, ..Given::shipped() }.wanted();
    let engine = with.dashboards.iter().find(|one| one["uid"] == "assay-engine").unwrap();
    assert_eq!(engine["templating"]["list"][1]["current"]["value"], "promql");
    assert!(with.dashboards[0]["links"].to_string().contains("assay-engine"));
}

#[test]
fn a_full_workspace_and_a_paused_rule_are_told() {
    let given = Given::shipped();
    let mut grafana = Grafana::default();
    given.apply(&mut grafana);
    grafana.rules[0]["isPaused"] = true.into();
    grafana.rules.extend((0..90).map(|n| rule(&format!("r{n}"), "theirs", "g", "them")));
    let plan = super::super::apply(
        &given.stack.identity,
        &given.wanted(),
        &grafana.found(&given.stack.identity, &given.wanted()),
    );
    let notes = plan.unwrap().notes;
    assert!(
        notes.len() == 2 && notes[0].contains("allows 100") && notes[1].contains("paused by somebody"),
        "{notes:?}"
    );
}
