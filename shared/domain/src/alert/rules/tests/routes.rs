use std::collections::BTreeMap;

use super::*;
use crate::alert::lifecycle::{Audience, QuietCause};
use crate::alert::rules::{Destination, DestinationKind, Routing, SLACK};

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf";

fn route(rules: &Rules, alert: &Alert, now: &str) -> Routing {
    rules.route(&alone(rules, alert, now), alert, &BTreeMap::new(), at(now))
}

fn with_two(text: &str) -> Rules {
    let destinations = format!(
        "[[destination]]\nname = 'chat'\nkind = 'slack_bot'\nchannel = 'C1'\ntoken = '{SECRET}'\n\
         [[destination]]\nname = 'pager'\nkind = 'pagerduty'\nrouting_key = '{SECRET}'\nregion = 'eu'\n"
    );
    rules(&format!("{destinations}{text}"))
}

fn supplied(name: &str) -> Destination {
    let token = SECRET.parse().unwrap();
    let kind = DestinationKind::SlackBot { channel: "C1".to_owned(), token, base_url: SLACK.to_owned() };
    Destination { name: DestinationName::new(name).unwrap(), kind }
}

#[test]
fn untouched_the_file_tells_what_the_functions_settings_name() {
    let alert = firing("Slow", "severity=critical");
    let unset = route(&shipped(), &alert, NOON);
    let Audience::Quiet(quiet) = &unset.audience else { panic!("{unset:?}") };
    assert_eq!(quiet.cause, QuietCause::Unrouted);
    assert_eq!(quiet.reason, "no destination of route wake somebody, everything is configured");
    assert_eq!(told(&unset.not_configured), ["pagerduty", "opsgenie", "slack", "webhook", "amazon-q"]);

    let rules = shipped().with_destinations(vec![supplied("slack"), supplied("pagerduty")]).unwrap();
    let routing = route(&rules, &alert, NOON);
    assert_eq!(told(routing.audience.destinations()), ["pagerduty", "slack"]);
    let warning = route(&rules, &firing("Slow", "severity=warning"), NOON);
    assert_eq!(told(warning.audience.destinations()), ["slack"]);
    // What is blind wakes nobody.
    let blind = route(&rules, &firing("Slow", "alertname=DatasourceError severity=critical"), NOON);
    assert_eq!(told(blind.audience.destinations()), ["slack"]);

    let error = rules.with_destinations(vec![supplied("slack")]).unwrap_err();
    assert!(error.to_string().contains("\"slack\""), "{error}");
}

#[test]
fn the_first_route_decides_unless_it_continues() {
    let rules = with_two(
        r#"
        [[route]]
        name = "pages"
        at_least = "error"
        destinations = "pager"
        continue = true
        [[route]]
        name = "search, in its hours"
        team = "search"
        hours = "08:00-18:00"
        days = "mon-fri"
        zone = "America/New_York"
        destinations = ["chat", "pager"]
        [[route]]
        name = "rest"
        endpoint = "!quiet-*"
        destinations = "chat"
        "#,
    );
    let names = |labels: &str, now: &str| {
        let routing = route(&rules, &firing("Slow", labels), now);
        let routes: Vec<String> = routing.routes.iter().map(|taken| taken.route.clone()).collect();
        (routes.join(" + "), told(routing.audience.destinations()).join(" "))
    };
    let pair = |routes: &str, told: &str| (routes.to_owned(), told.to_owned());
    // 12:00 UTC is 08:00 in New York.
    assert_eq!(names("severity=p1 team=search", NOON), pair("pages + search, in its hours", "pager chat"));
    assert_eq!(names("severity=p1 team=search", "2026-09-28T11:59:59Z"), pair("pages + rest", "pager chat"));
    assert_eq!(names("severity=info team=search", NOON), pair("search, in its hours", "chat pager"));
    assert_eq!(names("severity=info EndpointName=quiet-1", NOON), pair("", ""));
    assert_eq!(names("severity=info EndpointName=loud", NOON), pair("rest", "chat"));
}

#[test]
fn a_destination_that_two_routes_name_is_counted_in_the_first() {
    let rules = with_two(
        "[[route]]\nname = 'a'\ndestinations = ['chat']\ncontinue = true\n\
         [[route]]\nname = 'b'\ndestinations = ['chat', 'pager']\n",
    );
    let routing = route(&rules, &firing("Slow", ""), NOON);
    let taken: Vec<Vec<&str>> = routing.routes.iter().map(|taken| told(&taken.destinations)).collect();
    assert_eq!(taken, [vec!["chat"], vec!["pager"]]);
}

#[test]
fn a_muted_alert_says_by_what() {
    let rules = with_two(
        r#"
        [[route]]
        name = "all"
        destinations = "chat"
        [[mute]]
        name = "load test"
        component = "qwen-*"
        from = "2026-09-28T11:00:00Z"
        until = "2026-09-28T14:00:00+02:00"
        why = "announced"
        [[mute]]
        name = "nights"
        at_most = "warning"
        hours = "22:00-06:00"
        "#,
    );
    let muted = |labels: &str, now: &str| match route(&rules, &firing("Slow", labels), now).audience {
        Audience::Quiet(quiet) => Some(quiet),
        Audience::Told(_) => None,
    };
    let quiet = |labels: &str, now: &str| muted(labels, now).map(|quiet| quiet.reason);
    let qwen = "severity=p1 InferenceComponentName=qwen-7b";
    assert_eq!(quiet(qwen, "2026-09-28T10:30:00Z"), None);
    assert_eq!(quiet(qwen, "2026-09-28T11:30:00Z").as_deref(), Some("muted by \"load test\": announced"));
    assert_eq!(quiet(qwen, NOON), None);
    assert_eq!(quiet("severity=warn", "2026-09-28T23:00:00Z").as_deref(), Some("muted by \"nights\""));
    assert_eq!(quiet("severity=error", "2026-09-28T23:00:00Z"), None);
    for (labels, now, until) in [
        (qwen, "2026-09-28T11:30:00Z", NOON),
        ("severity=warn", "2026-09-28T23:00:00Z", "2026-09-29T06:00:00Z"),
    ] {
        assert_eq!(muted(labels, now).unwrap().until, Some(at(until)));
    }
}
