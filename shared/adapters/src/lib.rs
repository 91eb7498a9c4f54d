//! The only code of Assay that talks to the world. One cargo feature per client, so that a
//! function links only what it calls.
//!
//! | module | feature | talks to |
//! |---|---|---|
//! | [`captures`] | `s3` | S3: capture objects as streams of lines, verdict files |
//! | [`settings_folder`] | `s3` | S3: settings files that replace those compiled in |
//! | [`state`] | `state` | DynamoDB: leases, progress, finished verdicts, budget and caps; what need not be asked again |
//! | [`judge`] | `bedrock` | Amazon Bedrock Converse |
//! | [`metrics`] | `cloudwatch` | CloudWatch `PutMetricData`, `ListMetrics`, `GetMetricData` |
//! | [`control_plane`] | `sagemaker` | SageMaker: what an endpoint consists of |
//! | [`price_list`] | `pricing` | the Price List API |
//! | [`queue`] | `sqs` | SQS: work for another invocation |
//! | [`secrets`] | `secrets` | Secrets Manager and Parameter Store |
//! | [`delivery`] | `delivery` | Slack, PagerDuty, Opsgenie, any HTTPS address |
//! | [`topic`] | `sns` | SNS `Publish` |
//! | [`grafana`] | `grafana` | Amazon Managed Grafana, and the HTTP API of any Grafana |
//! | [`stack_answer`] | `grafana` | CloudFormation, which waits for a custom resource |
//!
//! Errors name what failed and where, with the service's own error code, and never carry captured
//! text, a secret or an address that is one.

#[cfg(any(feature = "delivery", feature = "grafana"))]
mod address;
mod aws;
mod fault;
mod http;
#[cfg(feature = "patience")]
mod patience;
mod prepared;
#[cfg(any(feature = "secrets", feature = "delivery", feature = "grafana"))]
mod secret;
mod time_left;

pub use aws::aws_config;
pub use fault::Fault;
pub use prepared::Prepared;
#[cfg(any(feature = "secrets", feature = "delivery", feature = "grafana"))]
pub use secret::Secret;
pub use time_left::time_left;

#[cfg(feature = "s3")]
pub mod captures;
#[cfg(feature = "sagemaker")]
pub mod control_plane;
#[cfg(feature = "delivery")]
pub mod delivery;
#[cfg(feature = "grafana")]
pub mod grafana;
#[cfg(feature = "bedrock")]
pub mod judge;
#[cfg(feature = "cloudwatch")]
pub mod metrics;
#[cfg(feature = "pricing")]
pub mod price_list;
#[cfg(feature = "sqs")]
pub mod queue;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "s3")]
pub mod settings_folder;
#[cfg(feature = "grafana")]
pub mod stack_answer;
#[cfg(feature = "state")]
pub mod state;
#[cfg(feature = "sns")]
pub mod topic;
#[cfg(test)]
mod wire;
