//! The one error of this crate: a sentence for whoever ran the command.

use std::fmt::Display;

use aws_sdk_s3::error::DisplayErrorContext;

/// What went wrong, and what to do about it where that is known.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// The result of everything that can fail here.
pub type Outcome<T> = Result<T, Failure>;

/// Says what was being done when an error came.
pub trait During<T> {
    /// `doing` reads like "read template.yaml".
    fn during(self, doing: impl Display) -> Outcome<T>;
}

impl<T, E: std::error::Error> During<T> for Result<T, E> {
    fn during(self, doing: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("cannot {doing}: {}", DisplayErrorContext(&error))))
    }
}
