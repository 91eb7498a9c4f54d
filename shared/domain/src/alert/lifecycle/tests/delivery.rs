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
