//! Whatever a topic delivers gives at least one alert, whose severity can be decided.
#![no_main]

use std::sync::LazyLock;

use domain::alert::parse::{open_text, parse};
use domain::alert::rules::{Measured, Rules, SHIPPED};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| Rules::from_toml("alerts.toml", SHIPPED).ok());

fuzz_target!(|event: &str| {
    for delivery in open_text(event).into_iter().flatten() {
        let parsed = parse(&delivery);
        assert!(!parsed.alerts.is_empty());
        for alert in parsed.alerts {
            let rules = RULES.as_ref();
            let decision = rules.map(|rules| rules.classify(&alert, &Measured::new(), Timestamp::UNIX_EPOCH));
            assert!(decision.is_some_and(|decision| !decision.classification.reason.is_empty()));
        }
    }
});
