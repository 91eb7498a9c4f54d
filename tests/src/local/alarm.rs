//! The end of the demo: the shipped alert rules look at the scores that CloudWatch has, and what
//! fires for the worst component goes from the topic to the people, until it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::metric::COMPOSITE_QUALITY_SCORE;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::alert_rules::{Firing, cloudwatch, notice};
use crate::environment::Environment;
use crate::failure::{During, Failure, Outcome};
use crate::preview::message_text;
use crate::progress::Step;
use crate::results::Published;
use crate::stack;
use crate::stand_in::WORKSPACE;
use crate::stand_in::record::Received;

const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN: Duration = Duration::from_millis(300);

/// What fired, and what the stand-ins for Slack and PagerDuty got of it.
#[derive(Debug)]
pub(super) struct Told {
    /// Every alert that fires, as `component: rule`.
    firing: Vec<String>,
    component: String,
    alerts: usize,
    slack: Vec<Received>,
    pagerduty: Vec<Received>,
}

/// Plays Grafana's part: evaluates the rules, sends what fires for the component with the lowest
/// score, sends it once more as Grafana's replicas do, and ends it.
pub(super) async fn raise(environment: &Environment, published: &Published) -> Outcome<Told> {
    let rules = deployed_rules(environment)?;
    let now = Timestamp::now();
    let step = Step::start(format!("evaluate {} alert rules over CloudWatch", rules.len()));
    let mut firing: Vec<(&Value, Firing)> = Vec::new();
    for rule in &rules {
        let found = cloudwatch::firing(&environment.clients.cloudwatch, rule, now.as_second()).await?;
        firing.extend(found.into_iter().map(|one| (rule, one)));
    }
    step.done(format!("{} alerts fire", firing.len()));

    let component = lowest(published)?;
    let of_component = |one: &Firing| one.labels.values().any(|value| *value == component);
    let sent: Vec<&(&Value, Firing)> = firing.iter().filter(|(_, one)| of_component(one)).collect();
    let mut step = Step::start(format!("tell the {} alerts of {component}", sent.len()));
    let begin = message(&sent, now, None)?;
    publish(environment, &begin).await?;
    let mut told = Told {
        firing: firing.iter().map(|(rule, one)| named(rule, one)).collect(),
        alerts: sent.len(),
        component,
        slack: Vec::new(),
        pagerduty: Vec::new(),
    };
    told.wait(environment, &mut step, |told| told.posts() >= told.alerts).await?;
    publish(environment, &begin).await?;
    publish(environment, &message(&sent, now, Some(Timestamp::now()))?).await?;
    told.wait(environment, &mut step, |told| {
        told.keys("resolve") == told.keys("trigger") && told.updated() >= told.alerts
    })
    .await?;
    step.done("told, and closed");
    Ok(told)
}

/// The rules that the stack has put into its Grafana.
fn deployed_rules(environment: &Environment) -> Outcome<Vec<Value>> {
    let grafana = environment.stand_ins.grafana(WORKSPACE);
    let rules = grafana.as_ref().and_then(|grafana| grafana["rules"].as_array()).into_iter().flatten();
    let ours = rules.filter(|rule| rule["labels"]["managed_by"] == stack::NAME);
    let ours: Vec<Value> = ours.cloned().collect();
    if ours.is_empty() {
        Err(Failure("the stack has put no alert rules into Grafana".to_owned()))
    } else {
        Ok(ours)
    }
}

/// The component whose mean score is the lowest.
fn lowest(published: &Published) -> Outcome<String> {
    let scores = published
        .iter()
        .filter(|((_, name), _)| name == COMPOSITE_QUALITY_SCORE.name)
        .filter_map(|((component, _), numbers)| Some((component.clone(), numbers.mean()?)));
    let lowest = scores.min_by(|(_, one), (_, other)| one.total_cmp(other));
    let nobody = || Failure("no component has a score that an alert could be about".to_owned());
    lowest.map(|(component, _)| component).ok_or_else(nobody)
}

fn named(rule: &Value, firing: &Firing) -> String {
    let labels = &firing.labels;
    let about = labels.get("InferenceComponentName").or_else(|| labels.get("EndpointName"));
    let about = about.map_or("the judge", String::as_str);
    format!("{about}: {}", rule["title"].as_str().unwrap_or_default())
}

/// Grafana's webhook JSON.
fn message(alerts: &[&(&Value, Firing)], now: Timestamp, ends_at: Option<Timestamp>) -> Outcome<String> {
    // A rule fires after its `for`.
    let starts_at = now - SignedDuration::from_mins(10);
    let alerts = alerts
        .iter()
        .map(|(rule, firing)| notice::alert(rule, firing, starts_at, ends_at))
        .collect::<Outcome<Vec<_>>>()?;
    let status = if ends_at.is_some() { "resolved" } else { "firing" };
    let message = json!({
        "receiver": "assay", "status": status, "alerts": alerts, "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "https://grafana.example/", "version": "1",
        "groupKey": "{}:{}", "truncatedAlerts": 0, "orgId": 1, "title": "", "state": "alerting", "message": "",
    });
    Ok(message.to_string())
}

async fn publish(environment: &Environment, message: &str) -> Outcome<()> {
    let topic = environment.stack.output("AlertTopicArn")?;
    let request = environment.clients.sns.publish().topic_arn(topic).message(message);
    request.send().await.map(drop).during("publish an alert")
}

async fn received(environment: &Environment, stand_in: &str) -> Outcome<Vec<Received>> {
    let url = format!("{}/_requests?stand_in={stand_in}", environment.stand_ins.url());
    let answer = reqwest::get(url).await.during("ask the stand-ins' record")?;
    answer.json().await.during("read the stand-ins' record")
}

impl Told {
    async fn wait(
        &mut self,
        environment: &Environment,
        step: &mut Step,
        is_there: fn(&Self) -> bool,
    ) -> Outcome<()> {
        let start = Instant::now();
        loop {
            // Before it looks: what was called is noted by the function a moment later.
            tokio::time::sleep(BETWEEN).await;
            self.slack = received(environment, "slack").await?;
            self.pagerduty = received(environment, "pagerduty").await?;
            if is_there(self) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                let (slack, pagerduty) = (self.slack.len(), self.pagerduty.len());
                return Err(Failure(format!(
                    "after {} s Slack has {slack} calls and PagerDuty {pagerduty}; see the log in .local",
                    PATIENCE.as_secs(),
                )));
            }
            step.tick(format!("{} calls to Slack", self.slack.len()));
        }
    }

    /// What fires, and what people see of the worst in Slack: as it was, and as it is now.
    pub(super) fn shown(&self) -> String {
        let is_worst = |call: &&Received| message_text(&call.body).contains("CRITICAL");
        let first = self.slack.iter().find(is_worst).or(self.slack.first());
        let first = first.map(|call| message_text(&call.body)).unwrap_or_default();
        let last = self.slack.iter().rfind(|call| is_update(call));
        let last = last.map(|call| message_text(&call.body)).unwrap_or_default();
        let headline: Vec<&str> = last.lines().take(3).collect();
        format!(
            "\nAlert rules that fire\n{}\n\n\
             One alert, as Slack shows it (make preview-alerts draws more of them)\n{}\n\n\
             and when one is over, its message says\n{}\n",
            indented(&self.firing.join("\n")),
            indented(&first),
            indented(&headline.join("\n"))
        )
    }

    /// What must be true of it.
    pub(super) fn promises(&self) -> Vec<(String, bool)> {
        let are_taken =
            self.slack.iter().chain(&self.pagerduty).all(|call| (200..300).contains(&call.status));
        let (opened, closed) = (self.keys("trigger"), self.keys("resolve"));
        vec![
            (format!("the shipped rules fire for {}", self.component), self.alerts > 0),
            (
                "each alert is one message in Slack, though it came twice".to_owned(),
                self.posts() == self.alerts,
            ),
            (
                "no incident in PagerDuty was opened twice, and the end closed each".to_owned(),
                opened.values().all(|times| *times == 1)
                    && opened.keys().collect::<BTreeSet<_>>() == closed.keys().collect(),
            ),
            ("Slack and PagerDuty took every call".to_owned(), are_taken),
        ]
    }

    /// Messages that open a thread.
    fn posts(&self) -> usize {
        let opens = |call: &&Received| call.path.ends_with("postMessage") && call.body["thread_ts"].is_null();
        self.slack.iter().filter(opens).count()
    }

    /// Messages that were edited.
    fn updated(&self) -> usize {
        let updates = self.slack.iter().filter(|call| is_update(call));
        updates.map(|call| call.body["ts"].to_string()).collect::<BTreeSet<_>>().len()
    }

    /// How often PagerDuty was told to do this, by incident.
    fn keys(&self, action: &str) -> BTreeMap<String, usize> {
        let mut keys = BTreeMap::new();
        for call in self.pagerduty.iter().filter(|call| call.body["event_action"] == action) {
            *keys.entry(call.body["dedup_key"].to_string()).or_default() += 1;
        }
        keys
    }
}

fn is_update(call: &Received) -> bool {
    call.path.ends_with("chat.update")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
