//! The worst answers of a component, for whoever is told that its quality is low: one for each ten
//! minutes of inference. quality-judge writes them with its verdicts, so that an alert finds them
//! with one call and need not search S3.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::alert::notice::WorstAnswer;
use domain::names::ComponentName;
use jiff::{SignedDuration, Timestamp};

use super::{Item, StateTable, malformed, number, text, text_of};
use crate::Fault;

/// The time that one entry stands for, in seconds.
const SLICE: i64 = 600;
/// Longer than anybody asks back.
const KEPT: SignedDuration = SignedDuration::from_hours(48);

impl StateTable {
    /// Notes an answer, unless a worse one of its component and time is known. Repeating it
    /// changes nothing.
    pub async fn note_worst(
        &self,
        component: &ComponentName,
        answer: &WorstAnswer,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let json = serde_json::to_string(answer).map_err(|_| malformed("UpdateItem", "worst answer"))?;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(key(component, answer.at)))
            .update_expression("SET score = :score, answer = :answer, expires_at = :expiry")
            .condition_expression("attribute_not_exists(score) OR score > :score")
            .expression_attribute_values(":score", AttributeValue::N(answer.score.get().to_string()))
            .expression_attribute_values(":answer", text(json))
            .expression_attribute_values(":expiry", number((now + KEPT).as_second()));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(Fault::of("UpdateItem", &error)),
            },
        }
    }

    /// The worst answers of `components` from `since` to `now`, each with its component, the worst
    /// first. Costs one call for each 100 slices of ten minutes.
    pub async fn worst_answers(
        &self,
        components: &BTreeSet<ComponentName>,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(ComponentName, WorstAnswer)>, Fault> {
        let slices =
            || (slice(since)..=slice(now)).filter_map(|slice| Timestamp::from_second(slice * SLICE).ok());
        let keys = components.iter().flat_map(|component| slices().map(move |at| key(component, at)));
        let answer = |item: Item| {
            let component = text_of(&item, "pk")?.strip_prefix("worst#")?.split('#').next()?.parse().ok()?;
            Some((component, serde_json::from_str::<WorstAnswer>(text_of(&item, "answer")?).ok()?))
        };
        let found: Option<Vec<_>> = self.items(keys.collect()).await?.into_iter().map(answer).collect();
        let mut found = found.ok_or_else(|| malformed("BatchGetItem", "worst answer"))?;
        found.sort_by(|(_, one), (_, other)| {
            one.score.get().total_cmp(&other.score.get()).then_with(|| other.at.cmp(&one.at))
        });
        Ok(found)
    }
}

fn slice(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SLICE)
}

/// Names of components are unique in an account and region.
fn key(component: &ComponentName, at: Timestamp) -> String {
    let start = Timestamp::from_second(slice(at) * SLICE).unwrap_or(at);
    format!("worst#{component}#{}", start.strftime("%Y-%m-%dT%H:%M"))
}
