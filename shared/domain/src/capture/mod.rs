//! One line of a SageMaker data-capture object, read into what a person said and a model answered.
//!
//! [`CaptureKey`] reads the object's key, [`CaptureRecord::parse`] a line of it, and
//! [`CaptureRecord::decode`] the request and the reply in it. Everything here is input of
//! strangers: nothing panics, and no error carries any of it.
//!
//! Format: SageMaker developer guide, "model-monitor-data-capture".

mod exchange;
mod key;
mod payload;
mod record;
mod skip;
mod surrogates;

#[cfg(test)]
mod tests;

pub use exchange::{Answer, Exchange, FinishReason, Role, Turn, Usage};
pub use key::{CaptureKey, NotACaptureKey};
pub use payload::Conversation;
pub use record::{CaptureRecord, CapturedSide, is_blank};
pub use skip::SkipReason;

pub(crate) use payload::shape::Scalar;
