//! Everything that Assay publishes to CloudWatch: names, units, dimensions and the limits of
//! `PutMetricData` (API reference of `MetricDatum`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::names::{ComponentName, EndpointName};

mod batch;
mod catalogue;

pub use batch::{Dated, Datum, batches, check_request, datums, split_by_age};
pub use catalogue::*;

/// Where quality-judge publishes unless `fleet.toml` says otherwise.
pub const QUALITY_NAMESPACE: &str = "/aws/sagemaker/inference-quality/";

/// Where capacity-meter publishes unless `fleet.toml` says otherwise.
pub const CAPACITY_NAMESPACE: &str = "/aws/sagemaker/inference-capacity/";

/// Where alert-router publishes. Its metrics have no dimension.
pub const ALERT_NAMESPACE: &str = "/aws/sagemaker/inference-alerts/";

/// Where the template counts, from quality-judge's log, what the judge does for a whole stack; the
/// stack's name comes behind it. These metrics have no dimension.
pub const OPERATIONS_NAMESPACE: &str = "/assay/operations/";

/// The two dimensions of every quality metric. A metric of capacity that is of a whole endpoint
/// has the first only.
pub const ENDPOINT_DIMENSION: &str = "EndpointName";
/// See [`ENDPOINT_DIMENSION`].
pub const COMPONENT_DIMENSION: &str = "InferenceComponentName";

/// CloudWatch has no currency: a metric in US dollars has unit [`Unit::None`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Unit {
    /// A score from 0 to 1, or US dollars.
    None,
    /// A number of things.
    Count,
    /// A duration.
    Milliseconds,
}

impl Unit {
    /// As CloudWatch spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// A number that CloudWatch accepts: finite and within 2^360 either way.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct MetricValue(f64);

/// Why a number cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("{0} is not a metric value: it must be finite and within 2^360 of zero")]
pub struct NotAMetricValue(pub f64);

impl TryFrom<f64> for MetricValue {
    type Error = NotAMetricValue;

    fn try_from(number: f64) -> Result<Self, NotAMetricValue> {
        if number.abs() <= 2_f64.powi(360) { Ok(Self(number)) } else { Err(NotAMetricValue(number)) }
    }
}

impl From<u32> for MetricValue {
    fn from(number: u32) -> Self {
        Self(f64::from(number))
    }
}

impl MetricValue {
    /// A count. Counts above 2^53 lose their last digits.
    #[expect(clippy::cast_precision_loss, reason = "documented")]
    pub fn count(number: u64) -> Self {
        Self(number as f64)
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// The component and time that a record's numbers belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The endpoint that answered.
    pub endpoint: EndpointName,
    /// The component that answered.
    pub component: ComponentName,
    /// When: the time of the inference, not of the judging.
    pub at: Timestamp,
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60) * 60
}

/// Numbers gathered over an object, by component and minute, kept as distinct values with their
/// counts so that CloudWatch can still compute percentiles.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    rows: BTreeMap<(i64, EndpointName, Option<ComponentName>), Row>,
}

/// The numbers of one component in one minute.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: Vec<Cell>,
}

#[derive(Debug, Clone)]
struct Cell {
    metric: Cow<'static, str>,
    unit: Unit,
    /// How often each value was seen, by [`ordered_bits`] of the value.
    distribution: BTreeMap<u64, u32>,
}

impl Tally {
    /// Where the numbers of `subject` go.
    pub fn row(&mut self, subject: &Subject) -> &mut Row {
        let component = Some(subject.component.clone());
        self.rows.entry((minute(subject.at), subject.endpoint.clone(), component)).or_default()
    }

    /// Where the numbers of a whole endpoint go: they have no component.
    pub fn endpoint_row(&mut self, endpoint: &EndpointName, at: Timestamp) -> &mut Row {
        self.rows.entry((minute(at), endpoint.clone(), None)).or_default()
    }

    /// Adds the numbers of one record.
    pub fn add_row(&mut self, subject: &Subject, row: Row) {
        let into = self.row(subject);
        for cell in row.cells {
            let target = into.cell(cell.metric, cell.unit);
            for (bits, count) in cell.distribution {
                *target.entry(bits).or_default() += count;
            }
        }
    }

    /// How many distinct values it holds: what its size grows with.
    pub fn values(&self) -> usize {
        self.rows.values().flat_map(|row| &row.cells).map(|cell| cell.distribution.len()).sum()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Row {
    /// Adds one observation of `metric`.
    pub fn add(&mut self, metric: impl Into<Cow<'static, str>>, unit: Unit, value: MetricValue) {
        *self.cell(metric.into(), unit).entry(ordered_bits(value.0)).or_default() += 1;
    }

    /// Counts one thing: an observation of 1.
    pub fn count(&mut self, metric: impl Into<Cow<'static, str>>) {
        self.add(metric, Unit::Count, MetricValue(1.0));
    }

    /// Adds one observation of a metric of the catalogue.
    pub fn observe(&mut self, metric: Definition, value: MetricValue) {
        self.add(metric.name, metric.unit, value);
    }

    // A row has at most a few dozen metrics: a scan beats a map of owned names.
    fn cell(&mut self, metric: Cow<'static, str>, unit: Unit) -> &mut BTreeMap<u64, u32> {
        let place = self.cells.iter().position(|cell| cell.metric == metric);
        let place = place.unwrap_or_else(|| {
            self.cells.push(Cell { metric, unit, distribution: BTreeMap::new() });
            self.cells.len() - 1
        });
        &mut self.cells[place].distribution
    }
}

/// The bits of `number`, changed so that they sort as the number does.
fn ordered_bits(number: f64) -> u64 {
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn from_ordered_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_cloudwatch_rejects_is_a_value() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2_f64.powi(361)] {
            assert!(MetricValue::try_from(wrong).is_err());
        }
        assert!(MetricValue::try_from(-2_f64.powi(360)).is_ok());
    }

    #[test]
    fn bits_sort_as_numbers_do() {
        let numbers = [-1e300, -2.5, -0.0, 0.0, 1e-300, 0.5, 1.0, 7e200];
        let bits: Vec<u64> = numbers.iter().map(|number| ordered_bits(*number)).collect();
        assert!(bits.is_sorted(), "{bits:?}");
        for number in numbers {
            assert!((from_ordered_bits(ordered_bits(number)) - number).abs() <= 0.0);
        }
    }
}
