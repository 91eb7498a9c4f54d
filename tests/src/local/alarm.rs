//! The end of the demo: the deployed alert rules look at the scores that CloudWatch has, and what
//! fires for the worst component goes from the topic to the people, until it is over.

use domain::metric::COMPOSITE_QUALITY_SCORE;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::alert_rules::{Firing, played};
use crate::environment::Environment;
use crate::failure::{Failure, Outcome};
use crate::preview::message_text;
use crate::progress::Step;
use crate::results::Published;
use crate::told::Told;

/// What fired, and what was told of it.
#[derive(Debug)]
pub(super) struct Raised {
    /// Every alert that fires, as `component: rule`.
    firing: Vec<String>,
    subject: String,
    alerts: usize,
    told: Told,
}

/// Plays Grafana's part: evaluates the rules, sends what fires for the component with the lowest
/// score, sends it once more as Grafana's replicas do, and ends it. A judge of which no reply is a score
/// leaves alerts too: then it is what the first of them is about.
pub(super) async fn raise(environment: &Environment, published: &Published) -> Outcome<Raised> {
    let rules = played::deployed(environment)?;
    let step = Step::start(format!("evaluate {} alert rules over CloudWatch", rules.len()));
    let firing = played::firing(&environment.clients.cloudwatch, &rules, Timestamp::now()).await?;
    step.done(format!("{} alerts fire", firing.len()));

    let nobody = || Failure("no alert fires that is about a component or an endpoint".to_owned());
    let affected = firing.iter().find_map(|(_, one)| subject(one));
    let subject = lowest(published).or_else(|| affected.cloned()).ok_or_else(nobody)?;
    let is_about = |(_, one): &&(&Value, Firing)| one.labels.values().any(|value| *value == subject);
    let sent: Vec<&(&Value, Firing)> = firing.iter().filter(is_about).collect();
    let alerts = sent.len();
    // A rule fires after its `for`.
    let starts_at = Timestamp::now() - SignedDuration::from_mins(10);
    played::publish(environment, &sent, starts_at, None).await?;
    let what = format!("tell the {alerts} alerts of {subject}");
    Told::wait(environment, &what, |told| told.posts().len() >= alerts).await?;
    played::publish(environment, &sent, starts_at, None).await?;
    played::publish(environment, &sent, starts_at, Some(Timestamp::now())).await?;
    let told = Told::wait(environment, "tell them again, and their end", |told| {
        told.is_closed() && told.edits().len() >= alerts
    })
    .await?;
    let firing = firing.iter().map(|(rule, one)| named(rule, one)).collect();
    Ok(Raised { firing, subject, alerts, told })
}

/// The component whose mean score is the lowest.
fn lowest(published: &Published) -> Option<String> {
    let scores = published
        .iter()
        .filter(|((_, name), _)| name == COMPOSITE_QUALITY_SCORE.name)
        .filter_map(|((component, _), numbers)| Some((component.clone(), numbers.mean()?)));
    scores.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(component, _)| component)
}

fn subject(firing: &Firing) -> Option<&String> {
    firing.labels.get("InferenceComponentName").or_else(|| firing.labels.get("EndpointName"))
}

fn named(rule: &Value, firing: &Firing) -> String {
    let subject = subject(firing).map_or("the judge", String::as_str);
    format!("{subject}: {}", rule["title"].as_str().unwrap_or_default())
}

impl Raised {
    /// What fires, and what people see of the worst in Slack: as it was, and as it is now.
    pub(super) fn shown(&self) -> String {
        let texts: Vec<String> = self.told.posts().iter().map(|call| message_text(&call.body)).collect();
        let worst = texts.iter().find(|text| text.contains("CRITICAL")).or(texts.first());
        let edits = self.told.edits();
        let headline: Vec<&str> = edits.values().next().map_or("", String::as_str).lines().take(3).collect();
        format!(
            "\nAlert rules that fire\n{}\n\n\
             One alert, as Slack shows it (make preview-alerts draws more of them)\n{}\n\n\
             and when one is over, its message says\n{}\n",
            indented(&self.firing.join("\n")),
            indented(worst.map_or("", String::as_str)),
            indented(&headline.join("\n"))
        )
    }

    /// What must be true of it.
    pub(super) fn promises(&self) -> Vec<(String, bool)> {
        let is_once = self.told.incidents("trigger").values().all(|times| *times == 1);
        vec![
            (format!("the deployed rules fire for {}", self.subject), self.alerts > 0),
            (
                "each alert is one message in Slack, though it came twice".to_owned(),
                self.told.posts().len() == self.alerts,
            ),
            (
                "no incident in PagerDuty was opened twice, and the end closed each".to_owned(),
                is_once && self.told.is_closed(),
            ),
            ("Slack and PagerDuty took every call".to_owned(), self.told.is_taken()),
        ]
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
