use super::*;
use crate::alert::lifecycle::{Condition, settle};

use Severity::{Critical, Error, Warning};

#[test]
fn a_firing_is_told_edited_and_closed() {
    let mut life = Life::new();
    let chat = to("chat pager");
    assert_eq!(
        life.take(0, &firing(Warning, 0), &chat),
        (Change::New, vec!["chat open warning".to_owned(), "pager open warning".to_owned()])
    );
    assert_eq!(life.take(10, &firing(Warning, 0), &chat), (Change::Duplicate, vec![]));
    let (change, sent) = life.take(300, &firing(Warning, 0), &chat);
    assert_eq!(
        (change, sent.join(", ").as_str()),
        (Change::Repeated, "chat edit warning, pager edit warning")
    );
    let (change, sent) = life.take(400, &ended(0, 390), &chat);
    assert_eq!(
        (change, sent.join(", ").as_str()),
        (Change::Resolved, "chat close warning, pager close warning")
    );
    assert_eq!(life.take(410, &ended(0, 390), &chat), (Change::Duplicate, vec![]));
    let record = life.record();
    assert_eq!(record.condition, Condition::Resolved);
    assert_eq!((record.started_at, record.ended_at), (Some(at(0)), Some(at(390))));
    assert_eq!((record.counts.messages, record.counts.repeats, record.counts.duplicates), (5, 1, 2));
    assert_eq!(record.firing_values["B"].to_string(), "7");
    assert_eq!(life.take(900, &firing(Warning, 890), &chat).0, Change::Reopened);
    assert_eq!(life.take(905, &firing(Warning, 890), &chat), (Change::Duplicate, vec![]));
}

#[test]
fn what_becomes_worse_calls_again_and_what_becomes_better_does_not() {
    let mut life = Life::new();
    let chat = to("chat");
    life.take(0, &firing(Warning, 0), &chat);
    // The raise brings in the pager, which has nothing open.
    let (change, sent) = life.take(10, &firing(Critical, 0), &to("chat pager"));
    assert_eq!(change, Change::Raised { from: Warning });
    assert_eq!(sent, ["chat raise critical", "pager open critical"]);
    let (change, sent) = life.take(20, &firing(Error, 0), &to("chat pager"));
    assert_eq!(change, Change::Lowered { from: Critical });
    assert_eq!(sent, ["chat edit error", "pager edit error"]);
    // Up again, but no worse than people were told.
    let (change, sent) = life.take(90, &firing(Critical, 0), &to("chat pager"));
    assert_eq!((change, sent.len()), (Change::Repeated, 2));
    assert_eq!(life.record().highest_severity, Critical);
    // Closed where it was opened, whatever the route says now.
    assert_eq!(life.take(100, &ended(0, 95), &to("chat")).1, ["chat close critical", "pager close critical"]);
    // A new firing begins anew.
    let (change, _) = life.take(500, &firing(Warning, 490), &chat);
    assert_eq!((change, life.record().highest_severity), (Change::Reopened, Warning));
}

#[test]
fn going_silent_is_not_recovering() {
    let mut life = Life::new();
    life.take(0, &firing(Warning, 0), &to("chat"));
    life.delivers = false;
    let (change, _) = life.take(60, &silent(0, 50, StateReason::MissingSeries), &to("chat"));
    assert_eq!((change, life.record().condition), (Change::WentSilent, Condition::Silent));
    let step = &life.record().outbox.steps()[0];
    assert!(!step.closes_incidents);
    assert_eq!(step.reason, "warning: went silent, the series is gone: this is no recovery");
    assert_eq!(life.deliver(60), ["chat silent warning"]);
    life.take(900, &firing(Warning, 890), &to("chat"));
    life.take(960, &silent(890, 950, StateReason::Paused), &to("chat"));
    assert!(life.record().outbox.steps().last().unwrap().closes_incidents);
}

#[test]
fn what_went_silent_and_recovers_is_closed() {
    let mut life = Life::new();
    let chat = to("chat pager");
    life.take(0, &firing(Warning, 0), &chat);
    life.take(60, &silent(0, 50, StateReason::NoData), &chat);
    // As CloudWatch says it: from INSUFFICIENT_DATA to OK, without a word of when it fired.
    let (change, sent) = life.take(120, &ended(None, 110), &chat);
    assert_eq!(
        (change, sent.join(", ").as_str()),
        (Change::Resolved, "chat close warning, pager close warning")
    );
    assert_eq!(life.take(130, &ended(None, 110), &chat), (Change::Duplicate, vec![]));
    assert_eq!(life.take(900, &firing(Warning, 890), &chat).0, Change::Reopened);
    // Somebody paused it: that closed the incident already.
    life.take(960, &silent(890, 950, StateReason::Paused), &chat);
    assert_eq!(life.record().outbox.destinations().filter(|(_, told)| told.is_open).count(), 0);
}

#[test]
fn a_muted_alert_is_recorded_counted_and_told_when_the_mute_ends() {
    let mut life = Life::new();
    let (change, sent) = life.take(0, &firing(Warning, 0), &muted());
    assert!(matches!(&change, Change::Quiet(quiet) if quiet.cause == QuietCause::Muted), "{change:?}");
    assert_eq!((sent.len(), life.record().counts.quiet, life.record().condition), (0, 1, Condition::Firing));
    // Somebody has to look when the mute ends: no message may come then. One look is enough.
    let damping = life.damping;
    assert_eq!(life.record().look_due(&damping), Some(at(500)));
    life.record.as_mut().unwrap().note_look(at(500));
    assert_eq!(life.record().look_due(&damping), None);
    let (change, sent) = life.take(600, &firing(Warning, 0), &to("chat"));
    assert_eq!(change, Change::Widened { to: vec![name("chat")] });
    assert_eq!(sent, ["chat open warning"]);
    assert_eq!(life.record().quiet, None);
    // What is made of the record again tells nobody twice.
    let (again, sent) = (life.record().alert.clone(), life.record().sent_at());
    let sent = sent.as_second() - at(0).as_second();
    assert_eq!(life.take_sent(sent, 610, &again, &to("chat")), (Change::Duplicate, vec![]));
    let (change, sent) = life.take_sent(sent, 620, &again, &to("chat late"));
    assert_eq!(
        (change, sent.join("")),
        (Change::Widened { to: vec![name("late")] }, "late open warning".to_owned())
    );
    let mut life = Life::new();
    life.take(0, &firing(Warning, 0), &to("chat"));
    // A mute that begins while it fires: worse is not called, what was told is edited and closed.
    let (change, sent) = life.take(700, &firing(Critical, 0), &muted());
    assert!(matches!(change, Change::Quiet(_)));
    assert_eq!(sent, ["chat edit critical"]);
    let (change, sent) = life.take(800, &firing(Critical, 0), &to("chat"));
    assert_eq!((change, sent.join("")), (Change::Raised { from: Warning }, "chat raise critical".to_owned()));
    assert_eq!(
        life.take(900, &ended(0, 890), &muted()),
        (Change::Resolved, vec!["chat close critical".to_owned()])
    );
    // Nobody was told, so nobody is told that it is over.
    let mut life = Life::new();
    life.take(0, &firing(Warning, 0), &muted());
    assert_eq!(life.take(60, &ended(0, 50), &to("chat")), (Change::Resolved, vec![]));
}

#[test]
fn the_end_of_something_unknown_is_told_only_when_it_had_fired() {
    // CloudWatch sends OK when an alarm is made.
    let mut life = Life::new();
    assert_eq!(life.take(0, &ended(None, 0), &to("chat")), (Change::EndOfUnknown, vec![]));
    assert_eq!(life.take(5, &ended(None, 0), &to("chat")), (Change::Duplicate, vec![]));
    assert_eq!(life.take(60, &firing(Warning, 60), &to("chat")).0, Change::New);

    // Grafana says since when it fired: that message was lost.
    let mut life = Life::new();
    let (change, sent) = life.take(100, &ended(0, 90), &to("chat"));
    assert_eq!((change, sent.join("")), (Change::Missed, "chat missed warning".to_owned()));
    assert_eq!(life.record().started_at, Some(at(0)));
    // It was late, not lost.
    let (change, sent) = life.take(110, &firing(Warning, 0), &to("chat"));
    assert!(matches!(change, Change::Late { .. }));
    assert_eq!(sent.len(), 0);
    assert_eq!(life.record().counts.late, 1);
}

#[test]
fn an_alarm_whose_end_comes_first_is_told_as_missed() {
    let mut life = Life::new();
    life.take(100, &ended(None, 90), &to("chat"));
    let (change, sent) = life.take(110, &firing(Warning, 30), &to("chat"));
    assert_eq!((change, sent.join("")), (Change::Missed, "chat missed warning".to_owned()));
    assert_eq!(life.record().condition, Condition::Resolved);
    assert!(matches!(life.take(120, &firing(Warning, 30), &to("chat")).0, Change::Late { .. }));
}

#[test]
fn an_earlier_end_does_not_end_a_later_firing() {
    let mut life = Life::new();
    let chat = to("chat");
    life.take(0, &firing(Warning, 0), &chat);
    // The end was lost, or is late.
    assert_eq!(life.take(600, &firing(Warning, 600), &chat).0, Change::Reopened);
    assert!(matches!(life.take(610, &ended(0, 300), &chat).0, Change::Late { .. }));
    assert!(matches!(life.take(620, &firing(Warning, 0), &chat).0, Change::Late { .. }));
    assert_eq!(life.record().condition, Condition::Firing);
    assert_eq!(life.take(700, &ended(600, 690), &chat).0, Change::Resolved);
}

#[test]
fn replicas_that_differ_by_seconds_tell_of_one_firing() {
    let mut life = Life::new();
    let chat = to("chat");
    life.take(0, &firing(Warning, 0), &chat);
    assert_eq!(life.take(3, &firing(Warning, 10), &chat).0, Change::Duplicate);
    assert_eq!(life.take(4, &firing(Warning, -10), &chat).0, Change::Duplicate);
    assert_eq!(life.take(310, &ended(-10, 290), &chat).0, Change::Resolved);
    assert_eq!(life.take(311, &ended(10, 310), &chat).0, Change::Duplicate);
    assert!(matches!(life.take(312, &firing(Warning, 10), &chat).0, Change::Late { .. }));
    // It fires again at once: the other replica's end comes after that start, and is of the first.
    assert_eq!(life.take(400, &firing(Warning, 395), &chat).0, Change::Reopened);
    assert!(matches!(life.take(401, &ended(10, 400), &chat).0, Change::Late { .. }));
    assert_eq!(life.record().condition, Condition::Firing);
}

#[test]
fn messages_without_any_time_are_taken_as_they_come() {
    let mut life = Life::new();
    let chat = to("chat");
    let (fires, ends) = (firing(Warning, None), ended(None, None));
    assert_eq!(life.take(0, &fires, &chat).0, Change::New);
    assert_eq!(life.take(300, &fires, &chat).0, Change::Repeated);
    assert_eq!(life.take(400, &ends, &chat).0, Change::Resolved);
    // A replay is known by the time at which it was sent.
    assert!(matches!(life.take_sent(300, 500, &fires, &chat).0, Change::Late { .. }));
    assert_eq!(life.take(600, &fires, &chat).0, Change::Reopened);
}

#[test]
fn what_flaps_is_told_once_and_edited_until_it_is_calm() {
    let mut life = Life::new();
    let chat = to("chat");
    let mut told = Vec::new();
    for round in 0..6_i64 {
        let start = round * 120;
        told.extend(life.take(start, &firing(Warning, start), &chat).1);
        told.extend(life.take(start + 60, &ended(start, start + 60), &chat).1);
    }
    // Two firings, and the fifth change makes it flapping.
    let shown = |kind: &str| told.iter().filter(|line| line.contains(kind)).count();
    assert_eq!((shown("open"), shown("close"), shown("flapping")), (3, 2, 1), "{told:?}");
    assert_eq!(told[5], "chat flapping warning");
    assert_eq!(shown("edit"), told.len() - 6);
    assert!(life.record().is_flapping());

    // Nothing comes any more: somebody has to look, because a message is open.
    let damping = life.damping;
    let calm = life.record().look_due(&damping).unwrap();
    assert_eq!(calm, at(660 + 15 * 60));
    assert!(settle(life.record(), &damping, at(0)).is_none());
    let (record, change) = settle(life.record(), &damping, calm).unwrap();
    assert_eq!((change, record.is_flapping()), (Change::CalmedDown, false));
    assert!(settle(&record, &damping, calm).is_none());
    life.record = Some(record);
    assert_eq!(life.deliver(2000), ["chat close warning"]);
    assert_eq!(life.take(5000, &firing(Warning, 5000), &chat).0, Change::Reopened);
}

#[test]
fn a_message_after_the_calm_settles_first() {
    let mut life = Life::new();
    for round in 0..4_i64 {
        let start = round * 120;
        life.take(start, &firing(Warning, start), &to("chat"));
        life.take(start + 60, &ended(start, start + 60), &to("chat"));
    }
    assert!(life.record().is_flapping());
    let (change, sent) = life.take(9000, &firing(Warning, 9000), &to("chat"));
    assert_eq!(
        (change, sent),
        (Change::Reopened, vec!["chat close warning".to_owned(), "chat open warning".to_owned()])
    );
}

#[test]
fn what_becomes_worse_while_it_flaps_calls_again() {
    let mut life = Life::new();
    for round in 0..4_i64 {
        let start = round * 120;
        life.take(start, &firing(Warning, start), &to("chat"));
        life.take(start + 60, &ended(start, start + 60), &to("chat"));
    }
    let (change, sent) = life.take(500, &firing(Critical, 500), &to("chat pager"));
    assert_eq!(change, Change::Raised { from: Warning });
    assert_eq!(sent, ["chat raise critical", "pager open critical"]);
}

#[test]
fn a_record_fits_into_an_item_whatever_a_message_holds() {
    let mut life = Life::new();
    let mut alert = firing(Warning, 0);
    for number in 0..500 {
        alert.labels.insert(format!("l{number}"), "x".repeat(5_000));
        alert.annotations.insert(format!("a{number}"), "ä".repeat(5_000));
        alert.values.insert(format!("v{number}"), 0.123_456_789);
    }
    life.delivers = false;
    for round in 0..100_i64 {
        life.take(round * 3600, &firing(Warning, round * 3600), &to("chat"));
        alert.starts_at = Some(at(round * 3600));
        life.take(round * 3600 + 200, &alert, &to("chat"));
        life.take(round * 3600 + 1800, &ended(round * 3600, round * 3600 + 1800), &to("chat"));
    }
    let bytes = serde_json::to_string(life.record()).unwrap().len();
    assert!(bytes < 380_000, "{bytes}");
    assert!(life.record().outbox.left_out > 0);
}
