//! alert-router: what reading a message costs, and how long it takes from an event to the last call.
//! State and the numbers of now come from the emulator, a Python program on the same cores; the
//! destinations are stand-ins that answer at once.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;

use super::services::Services;
use super::table::{Figures, Measure, Target};
use super::{milliseconds, reading, start};
use crate::failure::{During, Failure, Outcome};
use crate::functions::{self, ALERT_ROUTER};
use crate::loopback::{GrafanaAlert, Loopback, grafana, sns};
use crate::progress::Step;
use crate::runtime_api::{Answer, Function};

/// What SNS takes.
const LARGEST_MESSAGE: usize = 256 << 10;
const DESTINATIONS: [&str; 4] = ["slack", "pagerduty", "opsgenie", "webhook"];
const EVENTS: usize = 21;
/// The router sends Slack no more than one message in this time.
const SLACKS_PACE: Duration = Duration::from_millis(1100);
const LONG: Duration = Duration::from_secs(30);

/// `probe` is the program `read-alerts`.
pub(super) async fn measure(
    binary: &Path,
    empty: &Path,
    probe: &Path,
    services: &Services,
    figures: &mut Figures,
) -> Outcome<()> {
    let step = Step::start("route alerts");
    let (url, own) =
        (services.url(), [("DEAD_LETTER_QUEUE_URL", "http://x/1"), ("RETURN_QUEUE_URL", "http://x/2")]);
    let variables = functions::variables(ALERT_ROUTER, &url, &url, &own);
    start::to_first_poll("router: start to first poll", (binary, &variables), empty, figures).await?;
    for (form, message) in [("JSON", json as fn(usize) -> String), ("text", text)] {
        // Alerts are alike in length, but for the digits of their numbers.
        let alerts = LARGEST_MESSAGE / (message(101).len() - message(100).len()) - 1;
        let time = read(probe, &message(alerts), alerts)?;
        let what = format!("router: read 256 KB of Grafana's {form}, {alerts} alerts");
        figures.add(what, milliseconds(time), Target::AtMost(5.0));
    }
    let growth = reading::number(&mut Command::new(probe))?;
    let what = "router: 8 times as much hostile text takes, at worst";
    figures.add(what, Measure::new(growth, 1, "x"), Target::AtMost(24.0));
    let mut times = to_last_call(binary).await?;
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    figures.add(
        "router: event to last of 4 destinations called, warm",
        milliseconds(median),
        Target::AtMost(50.0),
    );
    let slowest = times.last().copied().unwrap_or_default();
    figures.add(format!("  the slowest of {EVENTS}"), milliseconds(slowest), Target::None);
    step.done("");
    Ok(())
}

fn alerts(count: usize) -> Vec<GrafanaAlert> {
    (0..count).map(|number| GrafanaAlert::new("Safety low", &format!("component-{number}"))).collect()
}

fn json(count: usize) -> String {
    grafana(&alerts(count))
}

fn text(count: usize) -> String {
    let mut text = "**Firing**\n".to_owned();
    for GrafanaAlert { rule, component, metric, summary, value, .. } in alerts(count) {
        let _ = write!(
            text,
            "\nValue: B={value}\nLabels:\n - alertname = {rule}\n - EndpointName = support-chat\n \
             - InferenceComponentName = {component}\n - grafana_folder = LLM\n - metric = {metric}\n\
             Annotations:\n - summary = {summary}\n\
             Source: https://grafana.example/alerting/grafana/abc/view?orgId=1\n\
             Silence: https://grafana.example/alerting/silence/new?alertmanager=grafana&matcher=alertname%3D{rule}\
             &matcher=EndpointName%3Dsupport-chat&matcher=InferenceComponentName%3D{component}\
             &matcher=grafana_folder%3DLLM&matcher=metric%3D{metric}&orgId=1\n",
            rule = rule.replace(' ', "+"),
        );
    }
    text
}

fn read(probe: &Path, message: &str, alerts: usize) -> Outcome<Duration> {
    let path = crate::project::local().join("bench/alerts.json");
    fs::write(&path, sns(&[message.to_owned()]).to_string()).during("write the message")?;
    reading::seconds(Command::new(probe).arg(&path).arg(alerts.to_string()))
}

/// From each event, about a new alert, until the last destination has the call.
async fn to_last_call(binary: &Path) -> Outcome<Vec<Duration>> {
    let local = Loopback::start().await?;
    let rules = local.rules("[storm]\nnew_alerts_per_minute = 1000").await?;
    let mut function = Function::start(binary, &local.router_variables(&rules, &[])).await?;
    let mut times = Vec::new();
    for number in 0..=EVENTS {
        let event = sns(&[grafana(&[GrafanaAlert::new(&format!("Safety low {number}"), "qwen-7b")])]);
        local.forget().await?;
        let before = Timestamp::now();
        let Answer::Response(_) = function.invoke(&event, LONG).await? else {
            return Err(Failure("the alert was not routed".to_owned()));
        };
        let mut last = before;
        for destination in DESTINATIONS {
            let calls = local.received(destination).await?;
            let Some(call) = calls.first() else {
                return Err(Failure(format!("{destination} was not called")));
            };
            last = last.max(call.at);
        }
        times.push(last.duration_since(before).unsigned_abs());
        tokio::time::sleep(SLACKS_PACE).await;
    }
    // The first reads settings and secrets, and opens connections.
    Ok(times.split_off(1))
}
