//! The only code of Assay that talks to the world. One cargo feature per client, so that a
//! function links only what it calls.
//!
//! | module | feature | talks to |
//! |---|---|---|
//! | [`captures`] | `s3` | S3: capture objects as streams of lines, verdict files |
//! | [`state`] | `state` | DynamoDB: leases, progress, finished verdicts, budget and caps |
//! | [`judge`] | `bedrock` | Amazon Bedrock Converse |
//! | [`metrics`] | `cloudwatch` | CloudWatch `PutMetricData` |
//! | [`queue`] | `sqs` | SQS: what is left of a long object |
//!
//! Errors name what failed and where, with the service's own error code, and never carry captured
//! text.

mod aws;
mod fault;
mod http;
#[cfg(any(feature = "s3", feature = "state", feature = "cloudwatch", feature = "sqs"))]
mod patience;

pub use aws::aws_config;
pub use fault::Fault;

#[cfg(feature = "s3")]
pub mod captures;
#[cfg(feature = "bedrock")]
pub mod judge;
#[cfg(feature = "cloudwatch")]
pub mod metrics;
#[cfg(feature = "sqs")]
pub mod queue;
#[cfg(feature = "state")]
pub mod state;
#[cfg(test)]
mod wire;
