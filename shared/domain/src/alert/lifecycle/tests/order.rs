//! Messages in any order and any number leave the same record, and tell every firing.

use proptest::prelude::*;

use super::*;

/// What a sender would say of a life of several firings, in order.
fn any_history(says_start_of_ends: bool) -> impl Strategy<Value = Vec<Message>> {
    let severity = prop::sample::select(Severity::ALL.to_vec());
    let firing_of = (10_i64..4_000, 0_i64..2_000, prop::collection::vec(severity, 1..4));
    (prop::collection::vec(firing_of, 1..5), any::<bool>()).prop_map(move |(firings, ends)| {
        let mut messages = Vec::new();
        let mut now = 0;
        let count = firings.len();
        for (number, (length, pause, severities)) in firings.into_iter().enumerate() {
            let start = now;
            let says = i64::try_from(severities.len()).unwrap();
            for (place, severity) in (0_i64..).zip(severities) {
                let sent = start + length * place / says + place;
                messages.push(Message { alert: firing(severity, start), sent });
            }
            let end = start + length + says;
            if ends || number + 1 < count {
                let told = says_start_of_ends.then_some(start);
                messages.push(Message { alert: ended(told, end), sent: end + 1 });
            }
            now = end + pause + 130;
        }
        messages
    })
}

/// The history with repetitions and out of order, each message with the place at which it comes.
fn any_arrivals(says_start_of_ends: bool) -> impl Strategy<Value = (Vec<Message>, Vec<Message>)> {
    any_history(says_start_of_ends).prop_flat_map(|history| {
        let twice: Vec<Message> = history.iter().chain(&history).cloned().collect();
        let chosen = prop::collection::vec(any::<bool>(), history.len());
        let arrivals = (Just(history.clone()), chosen).prop_map(move |(history, chosen)| {
            let again = twice[history.len()..].iter().zip(chosen).filter(|(_, is_chosen)| *is_chosen);
            history.iter().cloned().chain(again.map(|(message, _)| message.clone())).collect::<Vec<_>>()
        });
        (Just(history), arrivals.prop_shuffle())
    })
}

/// The life after all messages, and what was sent to anybody: the start that the message names.
fn live(messages: &[Message], is_in_order: bool) -> (Life, Vec<(StepKind, Option<Timestamp>, u64)>) {
    let mut life = Life { damping: without_flapping(), delivers: false, ..Life::new() };
    let mut sent = Vec::new();
    let latest = messages.iter().map(|message| message.sent).max().unwrap_or_default();
    for message in messages {
        // Out of order, everything comes after everything was sent.
        let now = if is_in_order { message.sent } else { latest };
        life.take_sent(message.sent, now, &message.alert, &to("chat"));
        let outbox = &mut life.record.as_mut().unwrap().outbox;
        loop {
            let deliveries = outbox.claim("w", at(now), SignedDuration::from_secs(60));
            let Some(delivery) = deliveries.first() else { break };
            sent.push((delivery.action, delivery.step.starts_at, delivery.step.number));
            outbox.confirm(delivery, Some(Receipt::Sent));
        }
        assert!(!outbox.is_owed());
    }
    (life, sent)
}

fn same_end(says_start_of_ends: bool) -> impl Strategy<Value = (Vec<Message>, Vec<Message>)> {
    any_arrivals(says_start_of_ends)
}

fn assert_same(history: &[Message], arrivals: &[Message]) -> Result<(), TestCaseError> {
    let (in_order, _) = live(history, true);
    let (mixed, _) = live(arrivals, false);
    let (expected, found) = (in_order.record(), mixed.record());
    prop_assert_eq!(found.condition, expected.condition);
    prop_assert_eq!(found.started_at, expected.started_at);
    prop_assert_eq!(found.ended_at, expected.ended_at);
    prop_assert_eq!(found.severity, expected.severity);
    prop_assert_eq!(&found.reason, &expected.reason);
    Ok(())
}

fn assert_told(history: &[Message], arrivals: &[Message]) -> Result<(), TestCaseError> {
    let (life, sent) = live(arrivals, false);
    let numbers: Vec<u64> = sent.iter().map(|(_, _, number)| *number).collect();
    prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "a step was told twice: {:?}", numbers);
    let told: Vec<Timestamp> =
        sent.iter().filter(|(kind, _, _)| kind.is_loud()).filter_map(|(_, start, _)| *start).collect();
    for message in history.iter().filter(|message| message.alert.status == Status::Firing) {
        let start = message.alert.starts_at.unwrap();
        // Told itself, or so late that a later firing of the same alert was told before it came.
        prop_assert!(told.iter().any(|told| *told >= start), "{:?} was not told", message);
    }
    let last = history.iter().filter_map(|message| message.alert.starts_at).max();
    prop_assert!(last.is_none_or(|last| told.contains(&last)), "the last firing was not told");
    // The last message says what is true.
    let is_firing = life.record().condition == super::super::Condition::Firing;
    let told = life.record().outbox.destinations().next().unwrap().1;
    prop_assert_eq!(told.is_open, is_firing);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn any_order_leaves_the_record_of_the_right_order((history, arrivals) in same_end(true)) {
        assert_same(&history, &arrivals)?;
    }

    #[test]
    fn any_order_leaves_the_record_of_the_right_order_for_alarms((history, arrivals) in same_end(false)) {
        assert_same(&history, &arrivals)?;
    }

    #[test]
    fn every_firing_is_told_and_no_step_twice((history, arrivals) in same_end(true)) {
        assert_told(&history, &arrivals)?;
    }

    #[test]
    fn every_firing_of_an_alarm_is_told_and_no_step_twice((history, arrivals) in same_end(false)) {
        assert_told(&history, &arrivals)?;
    }

    #[test]
    fn in_the_right_order_each_firing_is_opened_and_closed_once(history in any_history(true)) {
        let (_, sent) = live(&history, true);
        let starts: std::collections::BTreeSet<_> = history.iter().filter_map(|message| message.alert.starts_at).collect();
        let opened: Vec<_> = sent.iter().filter(|(kind, _, _)| *kind == StepKind::Open).filter_map(|(_, start, _)| *start).collect();
        prop_assert_eq!(opened, starts.into_iter().collect::<Vec<_>>());
        let ends = history.iter().filter(|message| message.alert.status == Status::Resolved).count();
        prop_assert_eq!(sent.iter().filter(|(kind, _, _)| *kind == StepKind::Close).count(), ends);
    }
}
