//! What one judged sample costs.

use crate::fleet::JudgePrice;
use crate::judge::{
    Nonce, Sample, input_tokens_at_most, reply_tokens_at_most, system_text, user_text, verdict_schema_text,
};
use crate::money::MicroUsd;
use crate::rubric::Rubric;
use crate::verdict::JudgeTokens;

/// Characters of English text for a token, the usual rule of thumb.
const CHARS_PER_TOKEN: usize = 4;
/// What the service adds to make the model fill the schema: the middle of what Anthropic documents
/// for tools, 264 to 530.
const ADDED_TOKENS: u64 = 400;
/// Tokens of a reply on three dimensions with a reason of one or two sentences each.
const REPLY_TOKENS: u64 = 200;

/// What one sample costs, estimated and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleCost {
    /// Tokens of the system text and the schema: the same for each sample.
    pub constant_tokens: u64,
    /// Tokens of the sample.
    pub sample_tokens: u64,
    /// The likely cost, nothing from a prompt cache.
    pub estimate: MicroUsd,
    /// What the budget sets aside before the call.
    pub reserved: MicroUsd,
}

/// The cost of `sample` with this rubric at this judge.
pub fn cost(rubric: &Rubric, price: &JudgePrice, sample: &Sample) -> SampleCost {
    let (system, schema) = (system_text(rubric), verdict_schema_text(rubric));
    let user = user_text(sample, &Nonce::new([0; 16]));
    let tokens = |text: &str| text.chars().count().div_ceil(CHARS_PER_TOKEN) as u64;
    let constant_tokens = tokens(&system) + tokens(&schema) + ADDED_TOKENS;
    let sample_tokens = tokens(&user);
    let likely = JudgeTokens {
        input: constant_tokens + sample_tokens,
        output: REPLY_TOKENS,
        ..JudgeTokens::default()
    };
    let longest = reply_tokens_at_most(rubric.enabled().count());
    SampleCost {
        constant_tokens,
        sample_tokens,
        estimate: price.cost(&likely),
        reserved: price.at_most(input_tokens_at_most(&system, &schema, &user), longest.into()),
    }
}
