//! One line of a SageMaker data-capture object, read into what a person said and a model answered.
//!
//! Format: SageMaker developer guide, "model-monitor-data-capture".

mod exchange;

pub use exchange::{Answer, Exchange, FinishReason, Role, Turn, Usage};
