//! The steps that rules are made of.

use super::{CONDITION, MEASURED, Timed, sign};
use crate::alert::rules::Measure;
use crate::dashboard::query::{Legend, Query, Reducer, Statistic, Step};
use crate::dashboard::source::{Source, Values};
use crate::metric::{COMPONENT_DIMENSION, ENDPOINT_DIMENSION};

pub(super) const MINUTES: u32 = 60;
pub(super) const HOURS: u32 = 3600;
pub(super) const WEEK: u32 = 7 * 24 * HOURS;

/// What a rule still needs: a condition.
pub(super) struct Steps {
    list: Vec<Timed>,
    from: u32,
    to: u32,
}

impl Steps {
    /// Steps over the last `window` seconds.
    pub(super) fn over(window: u32) -> Self {
        Self { list: Vec::new(), from: window, to: 0 }
    }

    /// The steps that follow look at the same stretch so many seconds earlier.
    pub(super) fn earlier(mut self, seconds: u32) -> Self {
        (self.from, self.to) = (self.from + seconds, self.to + seconds);
        self
    }

    /// The steps that follow look at now again.
    pub(super) fn now(mut self) -> Self {
        (self.from, self.to) = (self.from - self.to, 0);
        self
    }

    /// The steps that follow look at so many seconds before now.
    pub(super) fn over_last(mut self, window: u32) -> Self {
        (self.from, self.to) = (window, 0);
        self
    }

    pub(super) fn step(mut self, id: char, step: Step) -> Self {
        self.list.push(Timed { id, step, from: self.from, to: self.to });
        self
    }

    /// Asks for series and makes one number of each.
    pub(super) fn number(
        self,
        ask: char,
        source: Source,
        statistic: Statistic,
        into: char,
        by: Reducer,
    ) -> Self {
        self.every(300, ask, source, statistic).step(into, Step::Reduce { of: ask, by })
    }

    /// Asks for series in periods of so many seconds.
    pub(super) fn every(self, period: u32, id: char, source: Source, statistic: Statistic) -> Self {
        let legend = legend(&source);
        self.step(id, Step::Ask(Query { source, statistic, period, legend }))
    }

    pub(super) fn math(self, id: char, formula: &str) -> Self {
        self.step(id, Step::Math(formula.to_owned()))
    }

    /// The measured value against its limit, and whatever else must hold.
    pub(super) fn when(self, measure: &Measure, limit: f64, and: &str) -> Vec<Timed> {
        let condition = format!("${MEASURED} {} {limit}{and}", sign(measure.comparison));
        self.math(CONDITION, &condition).list
    }
}

/// The name of a series is that of the component: older versions of Grafana take the label for the
/// value of the dimension that is open.
fn legend(source: &Source) -> Legend {
    let is_of_component = source.dimensions.iter().any(|one| one.values == Values::Component);
    if is_of_component {
        Legend::Dimensions(&[COMPONENT_DIMENSION])
    } else {
        Legend::Dimensions(&[ENDPOINT_DIMENSION])
    }
}

/// The mean over all samples of a window, when there are at least so many. A mean of the means of
/// periods would weigh a period with one sample as one with fifty.
pub(super) fn mean_of_samples(
    source: &Source,
    window: u32,
    least: u32,
    measure: &Measure,
    limit: f64,
) -> Vec<Timed> {
    Steps::over(window)
        .number('A', source.clone(), Statistic::Sum, 'S', Reducer::Sum)
        .number('N', source.clone(), Statistic::SampleCount, 'M', Reducer::Sum)
        .math(MEASURED, "$S / $M")
        .when(measure, limit, &format!(" && $M >= {least}"))
}

/// How many in a window.
pub(super) fn count(source: Source, window: u32, measure: &Measure, limit: f64) -> Vec<Timed> {
    Steps::over(window).number('A', source, Statistic::Sum, MEASURED, Reducer::Sum).when(measure, limit, "")
}

/// The part of a sum in another one, when the other is at least so much and more than nothing.
pub(super) fn share(
    part: Source,
    whole: Source,
    window: u32,
    least: u32,
    measure: &Measure,
    limit: f64,
) -> Vec<Timed> {
    Steps::over(window)
        .number('A', part, Statistic::Sum, 'S', Reducer::Sum)
        .number('N', whole, Statistic::Sum, 'M', Reducer::Sum)
        .math(MEASURED, "$S / $M")
        .when(measure, limit, &if least > 0 { format!(" && $M >= {least}") } else { " && $M > 0".to_owned() })
}
