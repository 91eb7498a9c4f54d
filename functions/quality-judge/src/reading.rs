//! One line of a capture object: what is counted of it, and what of it the judge shall see.

use std::sync::PoisonError;

use domain::capture::{Answer, CaptureKey, CaptureRecord, Exchange, SkipReason};
use domain::check::{Findings, findings};
use domain::judge::{CapturedText, Sample};
use domain::metric::{self, MetricValue, Row};
use domain::names::ComponentName;
use domain::sampling;
use domain::verdict::{self, Texts};

use crate::config::Config;
use crate::event::Arrival;
use crate::standards::Standards;
use crate::summary::Counts;

/// How the lines of one object are read.
#[derive(Debug)]
pub(crate) struct LineReader<'a> {
    /// Rubric, attribution and sampling.
    pub(crate) standards: &'a Standards,
    /// The function's own settings.
    pub(crate) config: &'a Config,
    /// The object.
    pub(crate) arrival: &'a Arrival,
    /// What its key says.
    pub(crate) key: &'a CaptureKey,
}

/// An exchange that the sampling rate selected.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// What is judged, as the verdict will name it.
    pub(crate) subject: verdict::Subject,
    /// What the judge sees.
    pub(crate) sample: Sample,
}

/// What a line came to.
#[derive(Debug)]
pub(crate) enum Reading {
    /// White space: no record.
    Blank,
    /// Not to be judged, and why. Counted for `subject`.
    Skipped {
        /// Whose record it is, as far as that can be told.
        subject: metric::Subject,
        /// Why.
        reason: SkipReason,
    },
    /// Read.
    Read {
        /// Whose numbers these are.
        subject: metric::Subject,
        /// Its numbers. They count once the candidates are resolved.
        row: Row,
        /// What is to be judged.
        candidates: Vec<Candidate>,
    },
}

impl LineReader<'_> {
    /// Reads a line; what it holds is also counted in `counts`, for the summary.
    pub(crate) fn read(&self, line: &[u8], number: u64, counts: &mut Counts) -> Reading {
        if domain::capture::is_blank(line) {
            return Reading::Blank;
        }
        let record = match CaptureRecord::parse(line) {
            Ok(record) => record,
            Err(reason) => return Reading::Skipped { subject: self.unattributed(), reason },
        };
        let conversation = record.decode();
        let model = conversation.as_ref().ok().and_then(|conversation| conversation.model.as_deref());
        let fleet = &self.standards.fleet;
        let attribution = fleet.attribute(&self.key.endpoint, &self.arrival.key, &record, model);
        let mut unlisted = self.standards.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        let attribution = unlisted.admit(&self.key.endpoint, attribution);
        drop(unlisted);
        *counts.attributed_by.entry(attribution.by.as_str()).or_default() += 1;
        let subject = metric::Subject {
            endpoint: self.key.endpoint.clone(),
            component: attribution.component,
            at: record.inference_time,
        };
        let exchanges = match conversation {
            Ok(conversation) => conversation.exchanges,
            Err(reason) => return Reading::Skipped { subject, reason },
        };
        let is_selected = self.selects(&subject.component, &record.event_id);
        let mut row = Row::default();
        let mut candidates = Vec::new();
        for (index, exchange) in exchanges.iter().enumerate() {
            let found = findings(exchange);
            count(exchange, found, &mut row, counts);
            if is_selected && is_worth_judging(exchange) {
                row.observe(metric::SAMPLES_SELECTED, 1.into());
                let of_verdict = verdict::Subject {
                    event_id: record.event_id.clone().into_owned(),
                    event_index: u32::try_from(index).unwrap_or(u32::MAX),
                    bucket: self.arrival.bucket.clone(),
                    object_key: self.arrival.key.clone(),
                    line: number,
                    endpoint: subject.endpoint.clone(),
                    variant: self.key.variant.clone(),
                    component: subject.component.clone(),
                    attributed_by: attribution.by.as_str().to_owned(),
                    inference_time: record.inference_time,
                    checks: found.iter().collect(),
                    usage: exchange.usage,
                    answer_chars: 0,
                    was_cut: false,
                    texts: None,
                };
                candidates.push(self.candidate(of_verdict, exchange));
            }
        }
        Reading::Read { subject, row, candidates }
    }

    /// Whom a line belongs to that says nothing itself: the endpoint and the hour of its key.
    pub(crate) fn unattributed(&self) -> metric::Subject {
        metric::Subject {
            endpoint: self.key.endpoint.clone(),
            component: ComponentName::unattributed(),
            at: self.key.hour,
        }
    }

    fn selects(&self, component: &ComponentName, event_id: &str) -> bool {
        let policy = self.standards.fleet.sampling(component);
        let rate = policy.rate.map_or(self.config.sample_rate, domain::fleet::SamplingRate::get);
        rate > 0.0 && sampling::position(event_id) < rate
    }

    fn candidate(&self, subject: verdict::Subject, exchange: &Exchange<'_>) -> Candidate {
        let sample = Sample::from_exchange(exchange, self.config.max_sample_chars);
        let texts = self.config.store_sample_text.then(|| Texts {
            question: CapturedText(sample.question().text().to_owned()),
            answer: CapturedText(sample.answer().text().to_owned()),
        });
        let answer_chars = sample.answer_chars() as u64;
        let subject = verdict::Subject { answer_chars, was_cut: sample.was_cut(), texts, ..subject };
        Candidate { subject, sample }
    }
}

/// An error or an empty answer has its own metric; a judge could only say the same for money.
fn is_worth_judging(exchange: &Exchange<'_>) -> bool {
    matches!(&exchange.answer, Answer::Text { text, .. } if !text.trim().is_empty())
}

fn count(exchange: &Exchange<'_>, found: Findings, row: &mut Row, counts: &mut Counts) {
    counts.exchanges += 1;
    row.observe(metric::RECORDS, 1.into());
    for check in found.iter() {
        row.count(check.metric_name());
        *counts.checks.entry(check.as_str()).or_default() += 1;
    }
    let usage = exchange.usage.unwrap_or_default();
    if let Some(tokens) = usage.prompt_tokens {
        row.observe(metric::PROMPT_TOKENS, MetricValue::count(tokens));
    }
    if let Some(tokens) = usage.completion_tokens {
        row.observe(metric::COMPLETION_TOKENS, MetricValue::count(tokens));
    }
}
