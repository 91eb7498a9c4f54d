//! A [`Notice`](super::notice::Notice) in the words and the form of each destination, within its
//! limits.
//!
//! 1. `wording` says what is wrong, where, how bad, and the number against its limit: the same
//!    sentences for all.
//! 2. [`slack`], [`pagerduty`], [`opsgenie`], [`amazon_q`], [`webhook`] and [`text`] put them into
//!    form. What comes from outside (labels, annotations, the judge's reasons) is one line of plain
//!    text there, whatever it holds.
//! 3. [`limits`] knows what each service accepts, and checks a finished message as the service would.

pub mod amazon_q;
pub mod limits;
pub mod opsgenie;
pub mod pagerduty;
pub mod slack;
pub mod text;
pub mod webhook;

mod outside;
mod time;
mod wording;

#[cfg(test)]
pub(in crate::alert) mod tests;

pub use wording::headline;
