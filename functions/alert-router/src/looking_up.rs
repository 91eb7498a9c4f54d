//! What the numbers are now, which answers were worst, what it costs: looked up once for all alerts
//! of an event, within a time, each part by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use adapters::Fault;
use adapters::metrics::{Metrics, SeriesQuery};
use adapters::state::StateTable;
use domain::alert::notice::{Cost, Enrichment, NotIncluded, NowValue, Part, Quantity, Trend, WorstAnswer};
use domain::alert::rules::Measured;
use domain::capacity::series::Discovery;
use domain::metric::{
    self, COMPONENT_DIMENSION, COMPOSITE_QUALITY_SCORE, COST_PER_HOUR, ENDPOINT_DIMENSION, IDLE_COST_PER_HOUR,
};
use domain::money::MicroUsd;
use domain::names::{ComponentName, EndpointName};
use jiff::{SignedDuration, Timestamp};

use crate::terms::Terms;

mod series;

pub(crate) use series::{Grain, Wanted, wanted};

/// How far back.
const BACK: SignedDuration = SignedDuration::from_hours(1);
/// Worst answers are asked for further back: the judge comes after the inference.
const WORST_BACK: SignedDuration = SignedDuration::from_hours(3);
/// Five minutes: what SageMaker and Assay publish by the minute makes twelve points an hour.
const PERIOD: i32 = 300;
/// As many as a message shows.
const MOST_WORST: usize = 3;
/// Components and endpoints that are looked up for one event. A storm has more, and its messages
/// tell less.
const MOST_PLACES: usize = 40;

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The endpoint, when anybody knows.
    pub(crate) endpoint: Option<EndpointName>,
    /// The component.
    pub(crate) component: Option<ComponentName>,
}

/// The places that the alerts of an event are about, with the metrics that they name.
pub(crate) type Places = BTreeMap<Place, BTreeSet<String>>;

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    by_place: BTreeMap<Place, (Enrichment, Measured)>,
    /// How many places have nothing because there are too many.
    left_out: usize,
}

impl Found {
    /// What was found about a place, the metric of the alert first.
    pub(crate) fn about(&self, place: &Place, metric: Option<&str>) -> (Enrichment, Measured) {
        if let Some((enrichment, measured)) = self.by_place.get(place) {
            let mut enrichment = enrichment.clone();
            enrichment.now.sort_by_key(|value| Some(value.metric.as_str()) != metric);
            return (enrichment, measured.clone());
        }
        let mut enrichment = Enrichment::default();
        if self.left_out > 0 {
            let why = format!("more than {MOST_PLACES} places in one message");
            enrichment.not_included.push(NotIncluded { part: Part::Values, why });
        }
        (enrichment, Measured::new())
    }

    /// How many parts are missing.
    pub(crate) fn missing(&self) -> usize {
        let parts: usize = self.by_place.values().map(|(enrichment, _)| enrichment.not_included.len()).sum();
        parts + self.left_out
    }
}

/// Looks up. What is not there after `budget` is named as missing.
pub(crate) async fn look_up(
    metrics: &Metrics,
    state: &StateTable,
    terms: &Terms,
    places: &Places,
    budget: Duration,
    now: Timestamp,
) -> Found {
    let nowhere = Place { endpoint: None, component: None };
    let mut asked: Vec<(&Place, &BTreeSet<String>)> =
        places.iter().filter(|(place, _)| **place != nowhere).collect();
    if asked.is_empty() || budget.is_zero() {
        return Found::default();
    }
    let left_out = asked.len().saturating_sub(MOST_PLACES);
    asked.truncate(MOST_PLACES);
    let components: BTreeSet<ComponentName> =
        asked.iter().filter_map(|(place, _)| place.component.clone()).collect();
    let numbers = tokio::time::timeout(budget, numbers(metrics, terms, &asked, budget / 2, now));
    let worst = async {
        if components.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        tokio::time::timeout(budget, state.worst_answers(&components, now - WORST_BACK, now)).await
    };
    let (numbers, worst) = futures_util::future::join(numbers, worst).await;
    let numbers: Result<BTreeMap<&Place, Numbers>, String> = flat(numbers);
    let worst: Result<Vec<(ComponentName, WorstAnswer)>, String> = flat(worst);
    let mut by_place = BTreeMap::new();
    for (place, _) in asked {
        let mut enrichment = Enrichment::default();
        let mut measured = Measured::new();
        match &numbers {
            Ok(numbers) => {
                if let Some(numbers) = numbers.get(place) {
                    numbers.fill(&mut enrichment, &mut measured);
                }
            }
            Err(why) => {
                for part in [Part::Values, Part::Cost] {
                    enrichment.not_included.push(NotIncluded { part, why: why.clone() });
                }
            }
        }
        if let Some(component) = &place.component {
            match &worst {
                Ok(worst) => {
                    let own = worst.iter().filter(|(of, _)| of == component).map(|(_, answer)| answer);
                    enrichment.worst = own.take(MOST_WORST).cloned().collect();
                }
                Err(why) => {
                    enrichment.not_included.push(NotIncluded { part: Part::WorstAnswers, why: why.clone() });
                }
            }
        }
        by_place.insert(place.clone(), (enrichment, measured));
    }
    Found { by_place, left_out }
}

fn flat<T, E>(result: Result<Result<T, Fault>, E>) -> Result<T, String> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fault)) => Err(fault.to_string()),
        Err(_) => Err("timed out".to_owned()),
    }
}

/// The numbers of one place.
#[derive(Debug, Default)]
struct Numbers {
    now: Vec<NowValue>,
    measured: Measured,
    per_hour: Option<f64>,
    idle_per_hour: Option<f64>,
    /// Why there are none.
    missing: Option<String>,
}

impl Numbers {
    fn fill(&self, enrichment: &mut Enrichment, measured: &mut Measured) {
        enrichment.now.clone_from(&self.now);
        measured.clone_from(&self.measured);
        let usd = |number: Option<f64>| number.and_then(MicroUsd::from_usd);
        let cost = Cost { per_hour: usd(self.per_hour), idle_per_hour: usd(self.idle_per_hour) };
        enrichment.cost = (cost.per_hour.is_some() || cost.idle_per_hour.is_some()).then_some(cost);
        if let Some(why) = &self.missing {
            enrichment.not_included.push(NotIncluded { part: Part::Values, why: why.clone() });
        }
    }
}

async fn numbers<'a>(
    metrics: &Metrics,
    terms: &Terms,
    places: &[(&'a Place, &'a BTreeSet<String>)],
    patience: Duration,
    now: Timestamp,
) -> Result<BTreeMap<&'a Place, Numbers>, Fault> {
    // The numbers of others, and those that need no endpoint, do not wait for one that is unknown.
    let owners = tokio::time::timeout(patience, owners(metrics, terms, places)).await;
    let (owners, why) = match flat(owners) {
        Ok(owners) => (owners, "no endpoint of this component is known".to_owned()),
        Err(why) => (terms.owners.clone(), format!("the endpoint of this component was not found: {why}")),
    };
    let mut queries: Vec<SeriesQuery> = Vec::new();
    let mut wanted_by: Vec<(&Place, Wanted)> = Vec::new();
    let mut numbers: BTreeMap<&Place, Numbers> = BTreeMap::new();
    for (place, named) in places {
        let endpoint = place.endpoint.clone().or_else(|| owners.get(place.component.as_ref()?).cloned());
        let own = numbers.entry(place).or_default();
        if endpoint.is_none() {
            own.missing = Some(why.clone());
        }
        for wanted in wanted(terms, endpoint.as_ref(), place.component.as_ref(), named) {
            queries.push(wanted.query.clone());
            wanted_by.push((*place, wanted));
        }
    }
    let values = metrics.series(&queries, now - BACK, now).await?;
    let mut last: BTreeMap<(&Place, Grain, String, String), f64> = BTreeMap::new();
    for ((place, wanted), values) in wanted_by.iter().zip(values) {
        let own = numbers.entry(*place).or_default();
        let Some(values) = values else {
            own.missing = Some("CloudWatch failed at a metric".to_owned());
            continue;
        };
        let values = wanted.whole(values, now);
        let current = values.last().map(|(_, value)| *value);
        if let Some(current) = current {
            let (name, statistic) = (wanted.name.clone(), wanted.query.statistic.clone());
            last.insert((*place, wanted.grain, name, statistic), current);
        }
        if !wanted.is_shown {
            continue;
        }
        if wanted.name == COST_PER_HOUR.name {
            own.per_hour = current;
        } else if wanted.name == IDLE_COST_PER_HOUR.name {
            own.idle_per_hour = current;
        } else if !values.is_empty() {
            own.now.push(NowValue {
                quantity: Quantity::of_metric(&wanted.name),
                metric: wanted.name.clone(),
                current: newest(&values, now),
                hour: trend(&values, now),
            });
        }
    }
    for (place, _) in places {
        let own = numbers.entry(place).or_default();
        let value = |name: &str, grain, statistic: &str| {
            last.get(&(*place, grain, name.to_owned(), statistic.to_owned())).copied()
        };
        own.measured = series::measured(&terms.rules, value);
    }
    Ok(numbers)
}

/// The endpoints of the components whose alerts do not name one: as `fleet.toml` says, else as the
/// metrics of the last hours do.
async fn owners(
    metrics: &Metrics,
    terms: &Terms,
    places: &[(&Place, &BTreeSet<String>)],
) -> Result<BTreeMap<ComponentName, EndpointName>, Fault> {
    let mut owners = terms.owners.clone();
    let is_unknown = |place: &Place| {
        place.endpoint.is_none()
            && place.component.as_ref().is_some_and(|component| !owners.contains_key(component))
    };
    if !places.iter().any(|(place, _)| is_unknown(place)) {
        return Ok(owners);
    }
    let discovery = Discovery {
        namespace: terms.quality.namespace.clone(),
        metric: terms.quality.published_name(metric::RECORDS.name).to_owned(),
    };
    for listed in metrics.list(&discovery).await?.entries {
        let of = |name| listed.dimension(name);
        let component = of(COMPONENT_DIMENSION).and_then(|name| name.parse().ok());
        let endpoint = of(ENDPOINT_DIMENSION).and_then(|name| name.parse().ok());
        if let (Some(component), Some(endpoint)) = (component, endpoint) {
            owners.entry(component).or_insert(endpoint);
        }
    }
    Ok(owners)
}

/// The value of the last quarter of an hour: an older one is not now.
fn newest(values: &[(Timestamp, f64)], now: Timestamp) -> Option<f64> {
    let (at, value) = values.last()?;
    (now.duration_since(*at) <= SignedDuration::from_mins(15)).then_some(*value)
}

/// The period that a moment is in.
fn slot(at: Timestamp) -> i64 {
    at.as_second().div_euclid(i64::from(PERIOD))
}

fn trend(values: &[(Timestamp, f64)], now: Timestamp) -> Trend {
    let last = slot(now);
    let slots = (last - BACK.as_secs() / i64::from(PERIOD))..=last;
    Trend::new(slots.map(|wanted| values.iter().find(|(at, _)| slot(*at) == wanted).map(|(_, value)| *value)))
}

/// The metric that is shown for every component.
const ALWAYS: &str = COMPOSITE_QUALITY_SCORE.name;
