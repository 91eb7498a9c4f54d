//! The state table: what several invocations must agree on.
//!
//! One DynamoDB table with the hash key `pk` and the TTL attribute `expires_at`:
//!
//! | `pk` | holds |
//! |---|---|
//! | `object#<bucket>/<key>` | who works on the object until when, and how far it got |
//! | `verdict#<id>` | a finished verdict and the object version that it came from |
//! | `cap#<endpoint>/<component>#<hour>` | samples taken in that hour |
//! | `budget#<day>` | micro-dollars reserved and spent on the judge that day |
//! | `alert#<key>`, `scope#<scope>`, `storm#<route>` | records of alert-router: see [`RecordKey`] |
//! | `worst#<component>#<ten minutes>` | the worst answer that was judged of that time |
//! | `pace#<destination>` | when a destination takes as many messages at once again as it ever does |
//! | `endpoints`, `topology#<endpoint>`, `prices#<region>` | documents: see [`Kept`] |

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};

use crate::Fault;
use crate::patience::limited;

mod allowance;
mod batch;
mod documents;
mod lease;
mod pace;
mod record;
#[cfg(test)]
mod tests;
mod verdicts;
mod worst;

pub use allowance::{ComponentHour, Spending};
pub use documents::{DocumentKey, Kept};
pub use lease::{Lease, LeaseRefused, ObjectId, Progress};
pub use pace::{NoTurn, Pace};
pub use record::{NotWritten, RecordKey, Versioned};
pub use verdicts::KnownVerdict;

/// How long an entry is kept after its last change: longer than SQS can hold a message (14 days).
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The state table.
#[derive(Debug, Clone)]
pub struct StateTable {
    client: Client,
    table: String,
}

type Item = HashMap<String, AttributeValue>;

impl StateTable {
    /// Uses the region, credentials and endpoint of `config`.
    pub fn new(config: &aws_types::SdkConfig, table: impl Into<String>) -> Self {
        Self { client: Client::new(&limited(config)), table: table.into() }
    }
}

fn expiry(now: Timestamp) -> AttributeValue {
    number((now + KEPT).as_second())
}

fn number(number: impl ToString + Copy) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn text_of<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn number_of(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn malformed(operation: &'static str, what: &str) -> Fault {
    Fault::here(operation, format!("the state table's {what} is not what Assay wrote"))
}
