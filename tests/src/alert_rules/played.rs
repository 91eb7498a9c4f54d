//! Grafana's part, played: the rules that the stack has deployed are evaluated over CloudWatch, and
//! what fires is published to the stack's topic.

use aws_sdk_cloudwatch::Client as CloudWatch;
use jiff::Timestamp;
use serde_json::Value;

use super::{Firing, cloudwatch, notice};
use crate::environment::Environment;
use crate::failure::{During, Failure, Outcome};
use crate::stack;
use crate::stand_in::WORKSPACE;

/// The rules that the stack has put into its Grafana.
///
/// # Errors
/// There is none.
pub fn deployed(environment: &Environment) -> Outcome<Vec<Value>> {
    let grafana = environment.stand_ins.grafana(WORKSPACE);
    let rules = grafana.as_ref().and_then(|grafana| grafana["rules"].as_array()).into_iter().flatten();
    let ours = rules.filter(|rule| rule["labels"]["managed_by"] == stack::NAME);
    let ours: Vec<Value> = ours.cloned().collect();
    if ours.is_empty() {
        return Err(Failure("the stack has put no alert rules into Grafana".to_owned()));
    }
    Ok(ours)
}

/// What fires at this time, each with its rule.
pub async fn firing<'a>(
    cloudwatch: &CloudWatch,
    rules: &'a [Value],
    at: Timestamp,
) -> Outcome<Vec<(&'a Value, Firing)>> {
    let mut firing = Vec::new();
    for rule in rules {
        let found = cloudwatch::firing(cloudwatch, rule, at.as_second()).await?;
        firing.extend(found.into_iter().map(|one| (rule, one)));
    }
    Ok(firing)
}

/// Publishes them as Grafana's contact point does: in its webhook JSON.
pub async fn publish(
    environment: &Environment,
    alerts: &[&(&Value, Firing)],
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
) -> Outcome<()> {
    let alert = |(rule, firing): &&(&Value, Firing)| notice::alert(rule, firing, starts_at, ends_at);
    let alerts = alerts.iter().map(alert).collect::<Outcome<Vec<_>>>()?;
    let topic = environment.stack.output("AlertTopicArn")?;
    let request = environment.clients.sns.publish().topic_arn(topic).message(notice::message(&alerts));
    request.send().await.map(drop).during("publish an alert")
}
