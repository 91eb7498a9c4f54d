//! Every metric name that is not a rubric's own, with its unit and meaning. The metrics of checks,
//! outcomes and skip reasons are named by those enums; [`CATALOGUE`] holds the rest.

use super::Unit;

/// A metric: what it is called, what it counts, what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The name in CloudWatch.
    pub name: &'static str,
    /// What its values count.
    pub unit: Unit,
    /// One plain sentence for the reader of a dashboard.
    pub meaning: &'static str,
}

macro_rules! catalogue {
    ($($constant:ident = $name:literal, $unit:ident, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $constant: Definition = Definition { name: $name, unit: Unit::$unit, meaning: $meaning };
        )*
        /// All of them, in the order of the documentation.
        pub const CATALOGUE: &[Definition] = &[$($constant),*];
    };
}

catalogue! {
    COMPOSITE_QUALITY_SCORE = "CompositeQualityScore", None, "Weighted mean of the rubric's dimensions, 0 to 1.";
    EVALUATION_LATENCY = "EvaluationLatency", Milliseconds, "Time that the judge took for one sample.";
    RECORDS = "Records", Count, "Captured exchanges read, judged or not.";
    SAMPLES_SELECTED = "SamplesSelected", Count, "Exchanges that the sampling rate selected for the judge.";
    ALREADY_JUDGED = "AlreadyJudged", Count, "Selected exchanges that had a verdict from another object; not judged again.";
    INPUT_TRUNCATED = "InputTruncated", Count, "Judged samples that were cut to fit the judge's input.";
    JUDGE_INPUT_TOKENS = "JudgeInputTokens", Count, "Tokens sent to the judge, cached ones included.";
    JUDGE_CACHED_TOKENS = "JudgeCachedTokens", Count, "Tokens that the judge read from its prompt cache.";
    JUDGE_OUTPUT_TOKENS = "JudgeOutputTokens", Count, "Tokens that the judge wrote.";
    JUDGE_COST = "JudgeCostUsd", None, "What the judge cost, in US dollars.";
    PROMPT_TOKENS = "PromptTokens", Count, "Tokens in the observed model's requests, as its replies count them.";
    COMPLETION_TOKENS = "CompletionTokens", Count, "Tokens in the observed model's answers, as its replies count them.";
    OBJECTS_GONE = "ObjectsGone", Count, "Capture objects that were deleted before they could be read.";
    OBJECTS_CORRUPT = "ObjectsCorrupt", Count, "Capture objects that start as gzip and are none; what could be read counts.";
    OBJECTS_NOT_CAPTURES = "ObjectsNotCaptures", Count, "Objects whose key is not one of SageMaker's.";
    OBJECTS_FOREIGN = "ObjectsForeign", Count, "Objects of a bucket that the function is not set up for.";
    ANSWER_CHARACTERS = "AnswerCharacters", Count, "Length of the judged answers: judges prefer long ones, so read it beside the score.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<&str> = CATALOGUE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
