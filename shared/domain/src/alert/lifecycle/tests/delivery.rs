use super::*;
use crate::alert::lifecycle::tell_again;

use Severity::{Critical, Warning};

const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// A life in which nothing is delivered by itself.
fn undelivered() -> Life {
    Life { delivers: false, ..Life::new() }
}

fn all(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(shown).collect()
}

#[test]
fn a_crash_between_two_destinations_sends_again_only_what_is_missing() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat pager"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let deliveries = outbox.claim("first", at(0), LEASE);
    assert_eq!(deliveries.len(), 2);
    let chat = deliveries.iter().find(|one| one.destination == name("chat")).unwrap();
    let receipt = Receipt::Slack { channel: "C1".to_owned(), ts: "1.2".to_owned() };
    outbox.confirm(chat, Some(receipt.clone()));

    // The retry finds the claim, must come back, and then takes over.
    assert_eq!(life.take_sent(0, 30, &firing(Warning, 0), &to("chat pager")).0, Change::Duplicate);
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    assert_eq!(outbox.claim("second", at(30), LEASE), []);
    assert_eq!(outbox.claimed_until("second", at(30)), Some(at(60)));
    assert_eq!(outbox.claimed_until("second", at(60)), None);
    let deliveries = outbox.claim("second", at(60), LEASE);
    assert_eq!(all(&deliveries), ["pager open warning"]);
    outbox.confirm(&deliveries[0], None);
    assert!(!outbox.is_owed());

    // The receipt serves the next message.
    life.take(120, &ended(0, 110), &to("chat pager"));
    let deliveries = life.record.as_mut().unwrap().outbox.claim("third", at(120), LEASE);
    assert_eq!(deliveries[0].receipt, Some(receipt));
    assert_eq!(deliveries[1].receipt, None);
}

#[test]
fn of_two_invocations_at_once_one_sends() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let first = outbox.claim("first", at(0), LEASE);
    assert_eq!(outbox.claim("second", at(1), LEASE), []);
    outbox.confirm(&first[0], None);
    assert_eq!(outbox.claim("second", at(2), LEASE), []);
    assert_eq!(outbox.claimed_until("second", at(2)), None);
}

#[test]
fn what_failed_and_was_released_can_be_tried_at_once() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    outbox.claim("first", at(0), LEASE);
    outbox.release(&name("chat"), "somebody else");
    assert_eq!(outbox.claim("second", at(1), LEASE), []);
    outbox.release(&name("chat"), "first");
    assert_eq!(outbox.claim("second", at(1), LEASE).len(), 1);
}

#[test]
fn steps_that_waited_become_as_few_messages_as_tell_them() {
    let mut life = undelivered();
    let both = to("chat pager");
    life.take(0, &firing(Warning, 0), &both);
    life.take(100, &firing(Warning, 0), &both);
    life.take(200, &firing(Critical, 0), &both);
    life.take(300, &firing(Critical, 0), &both);
    life.take(400, &firing(Critical, 0), &both);
    // Four steps: the two edits at the end are one.
    assert_eq!(life.record().outbox.steps().len(), 4);
    life.take(500, &ended(0, 490), &both);
    life.take(900, &firing(Warning, 890), &both);
    assert_eq!(
        life.deliver(1000),
        [
            "chat open critical",
            "pager open critical",
            "chat close critical",
            "pager close critical",
            "chat open warning",
            "pager open warning",
        ]
    );
}

#[test]
fn what_never_was_opened_is_neither_edited_nor_closed() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat pager"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let deliveries = outbox.claim("first", at(0), LEASE);
    outbox.confirm(&deliveries[0], None);
    outbox.give_up(&deliveries[1], "the service says that the channel is archived");
    life.take(100, &firing(Warning, 0), &to("chat pager"));
    assert_eq!(life.deliver_all(), ["chat edit warning"]);
    let told = life.record().outbox.destinations().find(|(one, _)| one.as_str() == "pager").unwrap().1;
    assert!(told.given_up.is_some());
    // What becomes worse is tried again, as a first message.
    life.take(200, &firing(Critical, 0), &to("chat pager"));
    assert_eq!(life.deliver_all(), ["chat raise critical", "pager open critical"]);
}

#[test]
fn an_alert_left_to_a_summary_has_no_message_of_its_own_until_it_is_worse() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat pager"));
    life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat")]);
    assert_eq!(life.deliver_all(), ["pager open warning"]);
    assert_eq!(life.take(100, &firing(Warning, 0), &to("chat pager")).0, Change::Repeated);
    assert_eq!(life.deliver_all(), ["pager edit warning"]);
    life.take(200, &firing(Critical, 0), &to("chat pager"));
    assert_eq!(life.deliver_all(), ["chat open critical", "pager raise critical"]);
    life.take(300, &ended(0, 290), &to("chat pager"));
    assert_eq!(life.deliver_all(), ["chat close critical", "pager close critical"]);

    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat")]);
    life.take(100, &ended(0, 90), &to("chat"));
    assert_eq!(life.deliver_all(), Vec::<String>::new());
}

#[test]
fn start_and_end_that_are_decided_at_once_are_left_to_a_summary_as_one() {
    let mut life = undelivered();
    let both = to("chat pager");
    life.take_sent(0, 200, &firing(Warning, 0), &both);
    life.take_sent(100, 200, &firing(Warning, 0), &both);
    life.take_sent(200, 200, &ended(0, 190), &both);
    life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat")]);
    assert_eq!(life.deliver_all(), ["pager open warning", "pager close warning"]);
    // The next firing is told by itself.
    life.take(900, &firing(Warning, 890), &both);
    assert_eq!(life.deliver_all(), ["chat open warning", "pager open warning"]);
}

#[test]
fn what_became_worse_at_once_is_told_beside_the_summary_and_closed() {
    let mut life = undelivered();
    life.take_sent(0, 200, &firing(Warning, 0), &to("chat"));
    life.take_sent(100, 200, &firing(Critical, 0), &to("chat"));
    life.take_sent(200, 200, &ended(0, 190), &to("chat"));
    // A second route that leads there changes nothing.
    for _ in 0..2 {
        life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat")]);
    }
    assert_eq!(life.deliver_all(), ["chat open critical", "chat close critical"]);
}

#[test]
fn a_summary_takes_nothing_that_was_owed_before() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    life.take(100, &ended(0, 90), &to("chat"));
    // Told to one more: who was told of this firing already is not left to the summary of that.
    life.take(900, &firing(Warning, 890), &to("chat"));
    life.take(1000, &firing(Warning, 890), &to("chat other"));
    life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat"), name("other")]);
    assert_eq!(life.deliver_all(), ["chat open warning", "chat close warning", "chat open warning"]);
}

#[test]
fn what_a_destination_that_takes_nothing_loses_is_counted() {
    let mut life = undelivered();
    life.damping = without_flapping();
    for number in 0..25 {
        let start = number * 1000;
        life.take(start, &firing(Warning, start), &to("chat"));
        life.take(start + 500, &ended(start, start + 490), &to("chat"));
    }
    let outbox = &life.record().outbox;
    assert_eq!((outbox.steps().len(), outbox.left_out), (40, 10));
}

#[test]
fn what_fires_or_is_open_somewhere_is_kept_a_year_longer() {
    let mut life = Life::new();
    let keep = life.damping.keep;
    let year = SignedDuration::from_hours(365 * 24);
    life.take(0, &firing(Warning, 0), &muted());
    assert_eq!(life.record().kept(&life.damping), keep + year);
    life.take(100, &ended(0, 90), &muted());
    assert_eq!(life.record().kept(&life.damping), keep);
    life.take(1000, &firing(Warning, 990), &to("chat"));
    life.delivers = false;
    life.take(1100, &ended(990, 1090), &to("chat"));
    assert_eq!(life.record().kept(&life.damping), keep + year, "nobody has closed it there");
    life.deliver(1100);
    assert_eq!(life.record().kept(&life.damping), keep);
}

impl Life {
    /// As [`Life::deliver`], where some destinations may be owed what they cannot take.
    fn deliver_all(&mut self) -> Vec<String> {
        let outbox = &mut self.record.as_mut().unwrap().outbox;
        let mut sent = Vec::new();
        for attempt in 0.. {
            let deliveries = outbox.claim(&format!("a{attempt}"), at(100_000), LEASE);
            if deliveries.is_empty() {
                break;
            }
            for delivery in deliveries {
                sent.push(shown(&delivery));
                outbox.confirm(&delivery, Some(Receipt::Sent));
            }
        }
        assert!(!outbox.is_owed());
        sent
    }
}

#[test]
fn what_was_given_up_is_told_again_as_it_is_now() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let refused = outbox.claim("first", at(0), LEASE);
    outbox.give_up(&refused[0], "is_archived");
    assert!(!outbox.is_owed());

    let claimed = |record: &AlertRecord| {
        let mut record = tell_again(record, &name("chat"), at(60)).unwrap();
        let claimed = record.outbox.claim("second", at(60), LEASE);
        (record, claimed)
    };
    let (firing_still, claims) = claimed(life.record());
    assert_eq!(all(&claims), ["chat open warning"]);
    assert_eq!(firing_still.version, life.record().version + 1);
    // Over meanwhile: nothing is open there, so it is told as over.
    life.take(120, &ended(0, 110), &to("chat"));
    let (_, claims) = claimed(life.record());
    assert_eq!(claims[0].action, StepKind::Missed);
    // The letter comes a second time, or the alert fired again and was told.
    let (mut told, claims) = claimed(life.record());
    told.outbox.confirm(&claims[0], None);
    assert_eq!(tell_again(&told, &name("chat"), at(90)), None);
}

#[test]
fn of_what_was_taken_in_part_only_the_rest_is_owed() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let opened = outbox.claim("first", at(0), LEASE);
    assert!(!opened[0].is_begun);
    outbox.begin(&opened[0], Receipt::Sent);
    life.take(120, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let rest = outbox.claim("second", at(180), LEASE);
    assert_eq!(
        (rest[0].action, rest[0].is_begun, &rest[0].receipt),
        (StepKind::Open, true, &Some(Receipt::Sent))
    );
    outbox.confirm(&rest[0], None);
    life.take(300, &firing(Critical, 0), &to("chat"));
    assert!(!life.record.as_mut().unwrap().outbox.claim("third", at(300), LEASE)[0].is_begun);
}

#[test]
fn what_a_refused_summary_stood_for_is_told_by_itself_once() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    life.record.as_mut().unwrap().outbox.leave_to_summary(&[name("chat")]);
    let mut record = tell_again(life.record(), &name("chat"), at(60)).unwrap();
    let claims = record.outbox.claim("second", at(60), LEASE);
    assert_eq!(all(&claims), ["chat open warning"]);
    record.outbox.confirm(&claims[0], None);
    assert_eq!(tell_again(&record, &name("chat"), at(90)), None);
}

#[test]
fn a_raise_says_from_where_also_to_a_later_invocation() {
    let mut life = undelivered();
    life.take(0, &firing(Warning, 0), &to("chat"));
    let outbox = &mut life.record.as_mut().unwrap().outbox;
    let opened = outbox.claim("first", at(0), LEASE);
    assert_eq!(opened[0].step.raised_from, None);
    outbox.confirm(&opened[0], None);
    life.take(120, &firing(Critical, 0), &to("chat"));
    let raised = life.record.as_mut().unwrap().outbox.claim("second", at(180), LEASE);
    assert_eq!((raised[0].action, raised[0].step.raised_from), (StepKind::Raise, Some(Warning)));
}
