//! What is asked of CloudWatch and what is made of the answers, before it is written for Grafana
//! or for CloudWatch.

use std::fmt;

use super::source::Source;

/// What CloudWatch computes over a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The mean.
    Average,
    /// The sum.
    Sum,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// How many samples.
    SampleCount,
    /// A percentile, 0 to 100.
    Percentile(u8),
}

impl Statistic {
    /// The statistic that CloudWatch calls so.
    pub fn named(name: &str) -> Option<Self> {
        let named = [Self::Average, Self::Sum, Self::Minimum, Self::Maximum, Self::SampleCount];
        let percentile = || name.strip_prefix('p')?.parse().ok().filter(|number| *number <= 100);
        let found = named.into_iter().find(|one| one.to_string() == name);
        found.or_else(|| percentile().map(Self::Percentile))
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(number) => write!(f, "p{number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Where the name of a series is taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Legend {
    /// The values of these dimensions, in this order.
    Dimensions(&'static [&'static str]),
    /// The value of one dimension, and what is measured.
    Measured(&'static str, String),
    /// A text.
    Text(String),
}

/// One question to CloudWatch. It has an answer for each series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Which series.
    pub source: Source,
    /// What is computed of them.
    pub statistic: Statistic,
    /// Over how many seconds.
    pub period: u32,
    /// What they are called.
    pub legend: Legend,
}

/// The sum over all series of some metrics of components, whichever of them exist: one series.
/// Metrics that count nothing are not published, so that a sum by name would have gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// Namespace and dimensions; its metric is the first of those that are summed.
    pub source: Source,
    /// The metrics that are summed besides.
    pub further: Vec<String>,
    /// What is computed of each series.
    pub statistic: Statistic,
    /// Over how many seconds.
    pub period: u32,
}

impl Total {
    /// The names of all metrics that are summed.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.source.metric.as_str()).chain(self.further.iter().map(String::as_str))
    }
}

/// How a series becomes one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reducer {
    /// The mean of its points.
    Mean,
    /// Their sum.
    Sum,
    /// The newest.
    Last,
    /// The newest, 0 when it is empty: of a series that has stopped.
    LastOrZero,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Reducer {
    /// As Grafana spells it in an expression.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
            Self::Last | Self::LastOrZero => "last",
            Self::Min => "min",
            Self::Max => "max",
        }
    }
}

/// What a reference id stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Series from CloudWatch.
    Ask(Query),
    /// The sum over all series of `counted`, divided by that of `per` where there is one.
    AskTotal {
        /// What is summed.
        counted: Total,
        /// What the sum is divided by.
        per: Option<Total>,
    },
    /// One number of each series of another step. A series without points gives none.
    Reduce {
        /// The other step.
        of: char,
        /// How.
        by: Reducer,
    },
    /// Each series cut into even buckets up to now, of which those without a point are empty.
    Buckets {
        /// The other step.
        of: char,
        /// Seconds in a bucket, whose points are summed.
        seconds: u32,
    },
    /// A formula in Grafana's words, `$A / $B`. It joins steps by their labels: equal ones, or
    /// those of one a part of the other's.
    Math(String),
}
