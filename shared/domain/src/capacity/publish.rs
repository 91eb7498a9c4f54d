//! The metrics of an endpoint's capacity. What is not known is not published.

use jiff::Timestamp;

use super::condition::ConditionKind;
use super::meter::{ComponentCapacity, EndpointCapacity, Gpus};
use super::price::PriceSource;
use crate::metric::{
    self, COPIES, COST_PER_HOUR, COST_PER_MILLION_TOKENS, COST_PER_THOUSAND_INVOCATIONS, Definition,
    FREE_GPUS, IDLE_COST_PER_HOUR, INSTANCES, MetricValue, PRICE_AGE_DAYS, Row, Subject, TOTAL_GPUS, Tally,
    USED_GPUS, Unit,
};
use crate::money::MicroUsd;

/// Adds the metrics of an endpoint and its components to `tally`, at the time `now` of the run.
pub fn publish(capacity: &EndpointCapacity, now: Timestamp, tally: &mut Tally) {
    let row = tally.endpoint_row(&capacity.endpoint, now);
    observe(row, INSTANCES, capacity.instances.map(MetricValue::from));
    observe(row, TOTAL_GPUS, capacity.total_gpus.and_then(gpus));
    observe(row, USED_GPUS, capacity.used_gpus.and_then(gpus));
    observe(row, FREE_GPUS, capacity.free_gpus.and_then(gpus));
    observe(row, COST_PER_HOUR, capacity.bill.and_then(usd));
    observe(row, IDLE_COST_PER_HOUR, capacity.idle_cost.and_then(usd));
    publish_conditions(capacity, row);
    publish_prices(capacity, now, row);
    for component in &capacity.components {
        // An adapter has nothing of its own.
        if component.base.is_some() {
            continue;
        }
        let (endpoint, name) = (capacity.endpoint.clone(), component.component.clone());
        publish_component(component, tally.row(&Subject { endpoint, component: name, at: now }));
    }
}

fn publish_component(component: &ComponentCapacity, row: &mut Row) {
    observe(row, USED_GPUS, component.gpus.and_then(gpus));
    observe(row, COPIES, component.copies.map(MetricValue::from));
    observe(row, COST_PER_HOUR, component.cost.and_then(usd));
    observe(row, COST_PER_THOUSAND_INVOCATIONS, component.cost_per_thousand_invocations.and_then(usd));
    observe(row, COST_PER_MILLION_TOKENS, component.cost_per_million_tokens.and_then(usd));
}

/// A condition is 1 while it holds, however often it is noted; so is the reason for blindness.
fn publish_conditions(capacity: &EndpointCapacity, row: &mut Row) {
    for kind in ConditionKind::ALL.iter().copied() {
        let holds = capacity.conditions.iter().any(|condition| condition.kind == kind);
        if holds || ConditionKind::STEADY.contains(&kind) {
            row.add(kind.metric_name(), Unit::Count, MetricValue::from(u32::from(holds)));
        }
    }
    let reasons: std::collections::BTreeSet<_> =
        capacity.conditions.iter().filter_map(|condition| condition.reason).collect();
    for reason in reasons {
        row.count(reason.metric_name());
    }
}

fn publish_prices(capacity: &EndpointCapacity, now: Timestamp, row: &mut Row) {
    let prices = &capacity.sources.prices;
    for source in PriceSource::ALL.iter().copied() {
        let count = prices.values().filter(|price| price.source == source).count();
        if count > 0 {
            row.add(source.metric_name(), Unit::Count, MetricValue::count(count as u64));
        }
    }
    observe(row, PRICE_AGE_DAYS, capacity.sources.oldest_price_days(now).map(MetricValue::from));
}

fn observe(row: &mut Row, metric: Definition, value: Option<MetricValue>) {
    if let Some(value) = value {
        row.observe(metric, value);
    }
}

fn gpus(gpus: Gpus) -> Option<MetricValue> {
    MetricValue::try_from(gpus.count()).ok()
}

fn usd(amount: MicroUsd) -> Option<MetricValue> {
    MetricValue::try_from(amount.usd()).ok()
}

/// The names of all metrics that [`publish`] can publish, with their meaning, for the
/// documentation and the dashboards' checks: those of the catalogue first.
pub fn definitions() -> Vec<Definition> {
    let named = |name, meaning| Definition { name, unit: Unit::Count, meaning };
    let catalogue = [
        metric::TOTAL_GPUS,
        metric::USED_GPUS,
        metric::FREE_GPUS,
        metric::INSTANCES,
        metric::COPIES,
        metric::COST_PER_HOUR,
        metric::IDLE_COST_PER_HOUR,
        metric::COST_PER_THOUSAND_INVOCATIONS,
        metric::COST_PER_MILLION_TOKENS,
        metric::PRICE_AGE_DAYS,
    ];
    let conditions = ConditionKind::ALL.iter().map(|kind| named(kind.metric_name(), kind.meaning()));
    let reasons = super::condition::BlindReason::ALL.iter();
    let reasons = reasons.map(|reason| named(reason.metric_name(), reason.meaning()));
    let prices = PriceSource::ALL.iter().map(|source| named(source.metric_name(), source.meaning()));
    catalogue.into_iter().chain(conditions).chain(reasons).chain(prices).collect()
}
