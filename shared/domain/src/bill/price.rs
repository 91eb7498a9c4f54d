//! What AWS asks for what Assay uses.

use crate::money::MicroUsd;

/// Where and when the prices were read. None was read from a live price list.
pub const AS_OF: &str = "us-east-1, on demand, as AWS's price pages and copies of them had it in 2026";

/// What one unit of something costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// What is counted, as the bill names it.
    pub unit: &'static str,
    /// Micro-dollars for a million units.
    pub for_a_million: u64,
}

impl Price {
    /// What `units` cost, to the nearest micro-dollar below.
    pub fn of(self, units: u64) -> MicroUsd {
        let amount = u128::from(units) * u128::from(self.for_a_million) / 1_000_000;
        MicroUsd(i64::try_from(amount).unwrap_or(i64::MAX))
    }
}

macro_rules! prices {
    ($($constant:ident = $unit:literal, $for_a_million:literal;)*) => {
        $(
            #[doc = $unit]
            pub const $constant: Price = Price { unit: $unit, for_a_million: $for_a_million };
        )*
        /// All of them.
        pub const PRICES: &[Price] = &[$($constant),*];
    };
}

prices! {
    LAMBDA_REQUEST = "Lambda, request", 200_000;
    LAMBDA_GB_SECOND = "Lambda on arm64, GB-second", 13_333_400;
    S3_WRITE = "S3, PUT", 5_000_000;
    S3_READ = "S3, GET", 400_000;
    S3_MB = "S3 Standard, MB and month", 23_000_000;
    EVENT = "EventBridge, opt-in event of S3", 1_000_000;
    SQS_REQUEST = "SQS, request to a standard queue", 400_000;
    TABLE_WRITE = "DynamoDB on demand, write unit", 625_000;
    TABLE_READ = "DynamoDB on demand, read unit", 125_000;
    TABLE_MB = "DynamoDB Standard, MB and month", 250_000_000;
    PUT_METRIC_DATA = "CloudWatch, call of `PutMetricData` or `ListMetrics`", 10_000_000;
    METRIC_ASKED_FOR = "CloudWatch, metric asked for by `GetMetricData`", 10_000_000;
    CUSTOM_METRIC = "CloudWatch, custom metric and month, the first 10,000", 300_000_000_000;
    FURTHER_METRIC = "CloudWatch, custom metric and month, beyond", 100_000_000_000;
    ALARM = "CloudWatch, alarm and month, for each metric in it", 100_000_000_000;
    DASHBOARD = "CloudWatch, dashboard and month, beyond three", 3_000_000_000_000;
    LOG_MB = "CloudWatch Logs, MB taken in", 500_000_000;
    SECRET = "Secrets Manager, secret and month", 400_000_000_000;
}

/// Custom metrics before they get cheaper.
pub const DEAR_METRICS: u64 = 10_000;
/// Dashboards that cost nothing.
pub const FREE_DASHBOARDS: u64 = 3;
