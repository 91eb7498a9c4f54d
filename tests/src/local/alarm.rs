//! The end of the demo: an alert about the component with the lowest scores, from the topic to the
//! people, until it is over.

use std::time::Duration;

use domain::metric::{COMPOSITE_QUALITY_SCORE, Definition};
use serde_json::Value;
use tokio::time::Instant;

use crate::environment::Environment;
use crate::failure::{During, Failure, Outcome};
use crate::loopback::{GrafanaAlert, grafana};
use crate::preview::message_text;
use crate::progress::Step;
use crate::results::Published;
use crate::stand_in::record::Received;

const METRIC: Definition = COMPOSITE_QUALITY_SCORE;
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN: Duration = Duration::from_millis(200);

/// What the stand-ins for Slack and PagerDuty got.
#[derive(Debug)]
pub(super) struct Told {
    slack: Vec<Received>,
    pagerduty: Vec<Received>,
}

/// Has Grafana's part played: the alert fires, is repeated as Grafana's replicas do, and ends.
pub(super) async fn raise(environment: &Environment, published: &Published) -> Outcome<Told> {
    let (component, value) = lowest(published)?;
    let alert = GrafanaAlert {
        metric: METRIC.name.to_owned(),
        summary: format!("The answers of {component} are worse than agreed"),
        value,
        ..GrafanaAlert::new("Composite quality is low", &component)
    };
    let mut step = Step::start(format!("alert: the composite score of {component} is {value:.3}"));
    let firing = grafana(std::slice::from_ref(&alert));
    publish(environment, &firing).await?;
    wait(environment, &mut step, |told| told.slack.len() == 1 && told.triggers() == 1).await?;
    publish(environment, &firing).await?;
    publish(environment, &grafana(&[alert.ended()])).await?;
    let told = wait(environment, &mut step, |told| told.resolves() >= 1 && told.updates() >= 1).await?;
    step.done("told, and closed");
    Ok(told)
}

/// The component whose mean score is the lowest, and that score.
fn lowest(published: &Published) -> Outcome<(String, f64)> {
    let scores = published
        .iter()
        .filter(|((_, name), _)| name == METRIC.name)
        .filter_map(|((component, _), numbers)| Some((component.clone(), numbers.mean()?)));
    let lowest = scores.min_by(|(_, one), (_, other)| one.total_cmp(other));
    lowest.ok_or_else(|| Failure("no component has a score that an alert could be about".to_owned()))
}

async fn publish(environment: &Environment, message: &str) -> Outcome<()> {
    let topic = environment.stack.output("AlertTopicArn")?;
    let request = environment.clients.sns.publish().topic_arn(topic).message(message);
    request.send().await.map(drop).during("publish an alert")
}

async fn wait(environment: &Environment, step: &mut Step, is_there: fn(&Told) -> bool) -> Outcome<Told> {
    let start = Instant::now();
    loop {
        let told = Told {
            slack: received(environment, "slack").await?,
            pagerduty: received(environment, "pagerduty").await?,
        };
        if is_there(&told) {
            return Ok(told);
        }
        if start.elapsed() > PATIENCE {
            return Err(Failure(format!(
                "after {} s Slack has {} calls and PagerDuty {}; see the log in .local",
                PATIENCE.as_secs(),
                told.slack.len(),
                told.pagerduty.len()
            )));
        }
        step.tick("");
        tokio::time::sleep(BETWEEN).await;
    }
}

async fn received(environment: &Environment, stand_in: &str) -> Outcome<Vec<Received>> {
    let url = format!("{}/_requests?stand_in={stand_in}", environment.stand_ins.url());
    let answer = reqwest::get(url).await.during("ask the stand-ins' record")?;
    answer.json().await.during("read the stand-ins' record")
}

impl Told {
    /// What people see in Slack: as it was when it fired, and as it is now.
    pub(super) fn shown(&self) -> String {
        let first = self.slack.first().map(|call| message_text(&call.body)).unwrap_or_default();
        let last = self.slack.iter().rfind(|call| call.path.ends_with("chat.update"));
        let last = last.map(|call| message_text(&call.body)).unwrap_or_default();
        let headline = last.lines().take(3).collect::<Vec<_>>().join("\n");
        format!(
            "\nThe alert, as Slack shows it (make preview-alerts draws more of them)\n{}\n\n\
             and when it is over the same message says\n{}\n",
            indented(&first),
            indented(&headline)
        )
    }

    /// What must be true of it.
    pub(super) fn promises(&self) -> Vec<(String, bool)> {
        let threads =
            |call: &&Received| call.path.ends_with("chat.postMessage") && call.body["thread_ts"].is_null();
        let are_taken =
            self.slack.iter().chain(&self.pagerduty).all(|call| (200..300).contains(&call.status));
        vec![
            (
                "the alert is one message in Slack and one incident, though it came twice".to_owned(),
                self.slack.iter().filter(threads).count() == 1 && self.triggers() == 1,
            ),
            (
                "its end closed the incident and updated the message".to_owned(),
                self.resolves() == 1 && self.updates() >= 1,
            ),
            ("Slack and PagerDuty took every message".to_owned(), are_taken),
        ]
    }

    fn triggers(&self) -> usize {
        self.actions("trigger")
    }

    fn resolves(&self) -> usize {
        self.actions("resolve")
    }

    fn actions(&self, action: &str) -> usize {
        self.pagerduty.iter().filter(|call| call.body["event_action"] == Value::from(action)).count()
    }

    fn updates(&self) -> usize {
        self.slack.iter().filter(|call| call.path.ends_with("chat.update")).count()
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
