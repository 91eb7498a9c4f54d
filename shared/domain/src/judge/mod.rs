//! What a judge reads and what is taken from its reply.
//!
//! 1. [`Sample::from_exchange`] takes the texts of one exchange, cut to a bounded length.
//! 2. [`system_text`] is the same for every sample of a rubric, so that the service can cache it;
//!    [`user_text`] holds the sample between delimiters with a [`Nonce`] that captured text cannot
//!    know, and whose look-alikes in captured text are made harmless.
//! 3. [`verdict_schema`] is the shape of the reply for models with structured output,
//!    [`text_instruction`] describes it in words for the others.
//! 4. [`read_reply`] takes a complete, legal reply or names what is wrong with it. There is nothing
//!    between: a reply that has to be interpreted never becomes a score.

mod fence;
mod prompt;
mod reply;
mod sample;
mod schema;
mod strict_json;
#[cfg(test)]
mod tests;

pub use fence::Nonce;
pub use prompt::{
    input_tokens_at_most, prompt_hash, reply_tokens_at_most, system_text, text_instruction, user_text,
};
pub use reply::{JudgeReply, Malformed, read_reply};
pub use sample::{Applicability, CapturedText, Excerpt, Sample};
pub use schema::{verdict_schema, verdict_schema_text};
