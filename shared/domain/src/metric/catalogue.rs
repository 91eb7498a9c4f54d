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
    JUDGE_FAILURES = "JudgeFailures", Count, "Samples that the judge was asked about and gave no score, other than for want of quota.";
    JUDGE_COST = "JudgeCostUsd", None, "What the judge cost, in US dollars.";
    PROMPT_TOKENS = "PromptTokens", Count, "Tokens in the observed model's requests, as its replies count them.";
    COMPLETION_TOKENS = "CompletionTokens", Count, "Tokens in the observed model's answers, as its replies count them.";
    OBJECTS_GONE = "ObjectsGone", Count, "Capture objects that were deleted before they could be read.";
    OBJECTS_CORRUPT = "ObjectsCorrupt", Count, "Capture objects whose gzip is broken or cut; what could be read counts.";
    OBJECTS_NOT_CAPTURES = "ObjectsNotCaptures", Count, "Objects whose key is not one of SageMaker's.";
    OBJECTS_FOREIGN = "ObjectsForeign", Count, "Objects of a bucket that the function is not set up for.";
    ANSWER_CHARACTERS = "AnswerCharacters", Count, "Length of the judged answers: judges prefer long ones, so read it beside the score.";
    TOTAL_GPUS = "TotalGpus", Count, "GPUs of the endpoint's instances.";
    USED_GPUS = "UsedGpus", Count, "GPUs that copies hold, of the endpoint or of one component; a MIG slice counts as its sevenths.";
    FREE_GPUS = "FreeGpus", Count, "GPUs that no copy holds: total less used. Missing while usage is not known.";
    INSTANCES = "Instances", Count, "Instances of the endpoint.";
    COPIES = "Copies", Count, "Copies of the component that publish metrics.";
    COST_PER_HOUR = "CostPerHour", None, "US dollars an hour: the endpoint's bill, or a component's share of it by the GPUs that it holds.";
    IDLE_COST_PER_HOUR = "IdleCostPerHour", None, "US dollars an hour for what nobody uses: the bill less the components' shares.";
    COST_PER_THOUSAND_INVOCATIONS = "CostPerThousandInvocations", None, "US dollars that 1,000 invocations of the component cost at its present traffic.";
    COST_PER_MILLION_TOKENS = "CostPerMillionTokens", None, "US dollars that 1,000,000 tokens, in and out, cost at the component's present traffic.";
    PRICE_AGE_DAYS = "PriceAgeDays", Count, "Age in days of the oldest price that the endpoint's costs are computed with.";
    ALERT_MESSAGES = "AlertMessages", Count, "Messages that alert-router read.";
    ALERT_MESSAGES_UNREADABLE = "AlertMessagesUnreadable", Count, "Records of an event in which there was no message.";
    ALERTS_RECEIVED = "AlertsReceived", Count, "Alerts in those messages.";
    ALERTS_LOST = "AlertsLost", Count, "Alerts that did not arrive whole, because a message was cut or its sender left some out.";
    ALERTS_UNKNOWN_FORM = "AlertsUnknownForm", Count, "Messages in no form that Assay knows; each is told as one alert with its text.";
    ALERTS_UNKNOWN_SEVERITY = "AlertsUnknownSeverity", Count, "Alerts that nobody said how bad they are; the default holds.";
    ALERTS_MUTED = "AlertsMuted", Count, "Alerts that a mute kept from people.";
    ALERTS_HELD_BACK = "AlertsHeldBack", Count, "Alerts that wait because another alert explains them.";
    ALERTS_UNROUTED = "AlertsUnrouted", Count, "Alerts that no route leads to a configured destination.";
    ENRICHMENT_MISSING = "EnrichmentMissing", Count, "Parts of the context of alerts that could not be looked up in time.";
    NOTIFICATIONS_DELIVERED = "NotificationsDelivered", Count, "Messages about alerts that a destination took.";
    NOTIFICATIONS_FAILED = "NotificationsFailed", Count, "Messages about alerts that a destination did not take yet; they are tried again.";
    NOTIFICATIONS_PARKED = "NotificationsParked", Count, "Messages about alerts that a destination refused for good; they wait in the dead-letter queue.";
    NOTIFICATIONS_PLAIN = "NotificationsPlain", Count, "Messages about alerts that a destination took only in a plainer form.";
    NOTIFICATIONS_LEFT_OUT = "NotificationsLeftOut", Count, "What was to be told of an alert and was left out, the oldest first, because a destination took nothing for too long.";
}

/// What alert-router drops, which is published only when there is any: a count that is zero month after
/// month is on the bill too.
pub const ALERT_LOSSES: [Definition; 2] = [ALERT_MESSAGES_UNREADABLE, NOTIFICATIONS_LEFT_OUT];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<&str> = CATALOGUE.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
    }
}
