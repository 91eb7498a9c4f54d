//! The two texts that a judge gets: a constant one with the rubric, and one with the sample.

use std::fmt::Write;

use super::fence::{Nonce, fence};
use super::{Applicability, Sample};
use crate::capture::Role;
use crate::rubric::{AppliesTo, Dimension, NOT_APPLICABLE, Rubric, digest, hex};

/// What stands before the rubric. It holds nothing of a sample, so that it can be cached.
const PREAMBLE: &str = include_str!("preamble.txt");

/// The system text for `rubric`: role, rules, rubric. The same bytes for every sample; services
/// cache a prefix from 1,024 to 4,096 tokens on, depending on the model.
pub fn system_text(rubric: &Rubric) -> String {
    let mut out = PREAMBLE.to_owned();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\n# Rubric {} version {}", rubric.id(), rubric.version());
    for dimension in rubric.enabled() {
        describe(&mut out, dimension);
    }
    out
}

fn describe(out: &mut String, dimension: &Dimension) {
    let _ = writeln!(out, "\n## {}\n{}", dimension.id, dimension.instructions);
    match dimension.applies_to {
        AppliesTo::Always => {}
        AppliesTo::MultiTurn => {
            let _ = writeln!(out, "Needs earlier turns. {NOT_APPLICABLE}: the message says so.");
        }
        AppliesTo::WithContext => {
            let _ = writeln!(
                out,
                "Needs context. {NOT_APPLICABLE}: the message says so, or the instructions above do."
            );
        }
        AppliesTo::Whole => {
            let _ = writeln!(
                out,
                "Needs the whole exchange. {NOT_APPLICABLE}: the message says that we cut or left out \
                 something."
            );
        }
    }
    for (label, text) in dimension.scale.described() {
        let _ = writeln!(out, "- {label}: {text}");
    }
}

/// What to add to the system text for a model without structured output: the shape of the reply in
/// words. It shows no example score, which models copy.
pub fn text_instruction(rubric: &Rubric) -> String {
    let mut out = "\n# Form of the reply\nReply with one JSON object and nothing else: no text before or \
                   after it, no code fence. It has exactly these keys, and each value is an object with \
                   \"reason\" (text) first and then \"score\" (one of the texts listed):\n"
        .to_owned();
    let mut dimensions: Vec<&Dimension> = rubric.enabled().collect();
    dimensions.sort_by(|one, other| one.id.cmp(&other.id));
    for dimension in dimensions {
        let allowed: Vec<String> =
            dimension.allowed_replies().iter().map(|label| format!("\"{label}\"")).collect();
        let _ = writeln!(out, "- \"{}\": score is one of {}", dimension.id, allowed.join(", "));
    }
    out
}

/// The user text: the nonce, what the judge has to know about the sample, and the sample between
/// delimiters. Every captured text goes through the same fence.
pub fn user_text(sample: &Sample, nonce: &Nonce) -> String {
    let mut out = format!("The nonce of this message is {}.\n", nonce.as_str());
    write_facts(&mut out, sample);
    out.push('\n');
    if !sample.system_prompt().text().is_empty() {
        fence(&mut out, "system-prompt", sample.system_prompt().text(), nonce);
    }
    for (role, turn) in sample.earlier() {
        let slot = if *role == Role::User { "earlier-user" } else { "earlier-model" };
        fence(&mut out, slot, turn.text(), nonce);
    }
    if sample.has_context() {
        fence(&mut out, "context", sample.context().text(), nonce);
    }
    fence(&mut out, "question", sample.question().text(), nonce);
    fence(&mut out, "answer", sample.answer().text(), nonce);
    out.push_str("\nThe captured exchange ends here. Judge the answer against the rubric.\n");
    out
}

/// What we know about the sample and captured text must not be believed about: the cuts, and
/// which dimensions apply.
fn write_facts(out: &mut String, sample: &Sample) {
    for (what, applies_to) in [("earlier turns", AppliesTo::MultiTurn), ("context", AppliesTo::WithContext)] {
        let word = word(sample.applicability(applies_to));
        let _ = writeln!(out, "Dimensions that need {what}: {word}.");
    }
    let cuts = [
        ("system-prompt", sample.system_prompt().cut_chars()),
        ("earlier turns", sample.earlier().iter().map(|(_, turn)| turn.cut_chars()).sum()),
        ("context", sample.context().cut_chars()),
        ("question", sample.question().cut_chars()),
        ("answer", sample.answer().cut_chars()),
    ];
    for (slot, cut) in cuts.into_iter().filter(|(_, cut)| *cut > 0) {
        let _ = writeln!(out, "Cut out by us: {cut} characters of {slot}.");
    }
    if sample.earlier_left_out() > 0 {
        let _ = writeln!(out, "Left out by us: {} still earlier turns.", sample.earlier_left_out());
    }
}

fn word(applicability: Applicability) -> &'static str {
    match applicability {
        Applicability::Applies => "apply",
        Applicability::Absent => "\"n/a\", there is nothing of the kind",
        Applicability::Cut => "\"n/a\", not everything that they need is shown",
    }
}

/// What a reply may have: a frame, and for each dimension its level and a reason of one or two
/// sentences.
pub fn reply_tokens_at_most(dimensions: usize) -> u32 {
    const FRAME: u32 = 150;
    const DIMENSION: u32 = 120;
    DIMENSION.saturating_mul(u32::try_from(dimensions).unwrap_or(u32::MAX)).saturating_add(FRAME)
}

/// An upper bound of the input tokens of one judge call, for reserving budget before the call.
///
/// Tokenisers of the models in question work on bytes, so the sample, in which anything may stand,
/// counts one token a byte. The operator's rubric and our schema are written language, for which
/// half a token a byte is already twice the usual. 1,000 tokens stand for what the service adds to
/// make the model fill the schema (Anthropic documents 264 to 530 for tools).
pub fn input_tokens_at_most(system_text: &str, schema_text: &str, user_text: &str) -> u64 {
    let constant = (system_text.len() + schema_text.len()).div_ceil(2);
    (constant + user_text.len() + 1_000) as u64
}

/// SHA-256 over the two texts as 64 hex digits: tells calls apart, and lets nothing be read from it.
/// The delimiters of each call are random, so it cannot be computed from a capture.
pub fn prompt_hash(system_text: &str, user_text: &str) -> String {
    hex(&digest("assay.prompt", &[system_text.as_bytes(), user_text.as_bytes()]))
}
