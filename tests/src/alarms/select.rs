//! The query of an alarm, in the one form that the stack's have.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::MetricAlarm;

use super::{query, strange};
use crate::failure::Outcome;

/// `SELECT AVG(Metric) FROM SCHEMA("namespace", A, B) GROUP BY A, B`: each series is a group.
#[derive(Debug)]
pub(super) struct Select<'a> {
    pub(super) statistic: &'static str,
    pub(super) metric: &'a str,
    pub(super) namespace: &'a str,
    pub(super) dimensions: BTreeSet<&'a str>,
}

impl<'a> Select<'a> {
    pub(super) fn of(alarm: &'a MetricAlarm) -> Outcome<Self> {
        let expression = query(alarm)?.expression().unwrap_or_default();
        Self::parse(expression).ok_or_else(|| strange(alarm, &format!("the query {expression:?}")))
    }

    fn parse(expression: &'a str) -> Option<Self> {
        let (function, rest) = expression.strip_prefix("SELECT ")?.split_once('(')?;
        let (metric, rest) = rest.split_once(") FROM SCHEMA(")?;
        let (schema, groups) = rest.split_once(") GROUP BY ")?;
        let (namespace, dimensions) = schema.split_once(", ")?;
        let statistic = match function {
            "AVG" => "Average",
            "SUM" => "Sum",
            "MIN" => "Minimum",
            "MAX" => "Maximum",
            _ => return None,
        };
        (dimensions == groups).then(|| Self {
            statistic,
            metric: metric.trim_matches('"'),
            namespace: namespace.trim_matches('"'),
            dimensions: dimensions.split(", ").collect(),
        })
    }
}
