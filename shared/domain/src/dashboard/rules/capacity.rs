//! Rules about the meter and idle money.

use super::recipe::{HOURS, MINUTES, Steps, WEEK, share};
use super::{About, Alarm, Draft, Group, MEASURED, RuleBook, Shown};
use crate::capacity::condition::ConditionKind;
use crate::dashboard::Settings;
use crate::dashboard::board::BoardKind;
use crate::dashboard::measure;
use crate::dashboard::query::{Reducer, Statistic, Step};
use crate::dashboard::source::Sources;
use crate::metric;

pub(super) fn add(book: &mut RuleBook, settings: &Settings) {
    let own = Sources::of(settings.fleet);
    let blind = own.endpoint_named(ConditionKind::Blind.metric_name());
    book.watch(settings, measure::IDLE_COST_SHARE, |measure, limit| Draft {
        name: "idle-cost".to_owned(),
        runbook: "idle-cost",
        title: "Much of the bill is idle".to_owned(),
        group: Group::Capacity,
        dimension: None,
        steps: share(
            own.endpoint(metric::IDLE_COST_PER_HOUR),
            own.endpoint(metric::COST_PER_HOUR),
            HOURS,
            // A bill of nothing has no share.
            0,
            measure,
            limit,
        ),
        hold: 30 * MINUTES,
        panel: (BoardKind::Quantity, "idle-share".to_owned()),
        what: "the share of the endpoint's bill of the last hour that no component used".to_owned(),
        shown: Shown::Share,
        about: About::Endpoint,
        alarm: Alarm::Nothing("CloudWatch has no alarm on a quotient of two searches"),
    });
    book.watch(settings, ConditionKind::Blind.metric_name(), |measure, limit| Draft {
        name: "meter-blind".to_owned(),
        runbook: "meter-blind",
        title: "GPU use is not known".to_owned(),
        group: Group::Capacity,
        dimension: None,
        steps: Steps::over(15 * MINUTES)
            .number('A', blind.clone(), Statistic::Maximum, MEASURED, Reducer::Min)
            .when(measure, limit, ""),
        hold: 15 * MINUTES,
        panel: (BoardKind::Quantity, "meter-blind".to_owned()),
        what: "blindness of the meter (1 while the use of GPUs cannot be known) for 15 minutes".to_owned(),
        shown: Shown::Count,
        about: About::Endpoint,
        alarm: Alarm::EachSeries { function: "MIN", source: blind.clone(), period: 900, periods: 2 },
    });
    book.watch(settings, measure::METER_RUNS, |measure, limit| Draft {
        name: "meter-silent".to_owned(),
        runbook: "meter-silent",
        title: "The meter has stopped".to_owned(),
        group: Group::Capacity,
        dimension: None,
        // An endpoint without a run in the window has no series, and its alert would end.
        steps: Steps::over(WEEK)
            .every(300, 'A', blind.clone(), Statistic::SampleCount)
            .step('R', Step::Buckets { of: 'A', seconds: HOURS / 2 })
            .step(MEASURED, Step::Reduce { of: 'R', by: Reducer::LastOrZero })
            .when(measure, limit, ""),
        hold: 10 * MINUTES,
        panel: (BoardKind::Quantity, "meter-blind".to_owned()),
        what: "the number of runs of the meter in the last half hour".to_owned(),
        shown: Shown::Count,
        about: About::Endpoint,
        alarm: Alarm::Nothing("contributors of a Metrics Insights alarm cannot be missing; the function's own errors are alarmed on"),
    });
}
