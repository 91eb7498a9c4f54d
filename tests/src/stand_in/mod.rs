//! Stand-ins for services that the emulator lacks, all on one loopback port.
//!
//! One file a service, each a [`StandIn`]; what they share is here: every call is recorded
//! ([`record`]), and a call can be told what to answer instead ([`script`]), so that a person or a
//! test can stage a throttle, a time-out, a closed connection or garbage.
//!
//! | call | does |
//! |---|---|
//! | `GET /_health` | 200 once it listens |
//! | `GET /_requests?stand_in=&path=&contains=&last=` | what was received, oldest first |
//! | `DELETE /_requests` | forgets it, and sets the counts to zero |
//! | `GET /_stats` | calls, calls in flight and the highest number in flight, per stand-in |
//! | `POST /_replies` | one scripted reply or a list: see [`script::Scripted`] |
//! | `GET /_replies`, `DELETE /_replies` | what is still scripted; forget it |
//! | `GET /_grafana/<workspace>`, `PUT` | what is in a Grafana; make one, or change its features |
//! | `GET /_scenario`, `PUT /_scenario` | the fleet that SageMaker, the price list and CloudWatch answer for, as TOML |

mod bedrock;
mod cloudwatch;
mod control;
mod grafana;
mod judge;
mod opsgenie;
mod pagerduty;
mod pricing;
pub mod record;
mod sagemaker;
pub mod script;
mod server;
mod slack;
mod stack_answers;
mod stage;
mod webhook;
pub(crate) mod wire;

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use serde_json::Value;

pub use bedrock::Bedrock;
pub use grafana::{
    Features as GrafanaFeatures, OWN as OWN_GRAFANA, OWN_TOKEN as OWN_GRAFANA_TOKEN, WORKSPACE,
};
pub use judge::NAME as JUDGE_NAME;
pub use record::Stats;
pub use server::{Options, Server};

/// What a stand-in is given: one request, read to its end.
#[derive(Debug)]
pub struct Call {
    /// `GET`, `POST` ...
    pub method: Method,
    /// The path, percent-encoded as it was sent.
    pub path: String,
    /// The query string, empty when there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; what is not UTF-8 is replaced, and CBOR is JSON here.
    pub body: String,
}

/// What it answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Headers beside `content-length`.
    pub headers: Vec<(String, String)>,
    /// The whole body: it leaves in one write.
    pub body: String,
    /// How long to wait before it is sent.
    pub delay: Duration,
}

impl Reply {
    /// A JSON answer, sent at once.
    pub fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { status, headers, body: body.to_string(), delay: Duration::ZERO }
    }
}

/// One service that is stood in for.
pub trait StandIn: Send + Sync + std::fmt::Debug {
    /// How it is named in `/_requests` and `/_stats`.
    fn name(&self) -> &'static str;

    /// Whether the call is meant for this service.
    fn wants(&self, call: &Call) -> bool;

    /// The answer.
    fn answer(&self, call: &Call) -> Reply;
}
