//! Several invocations at once, with a store that refuses a write over a version that was not
//! read, crashes anywhere and services that fail.

use proptest::prelude::*;

use super::*;

const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Where an invocation is with its event.
#[derive(Debug, Clone)]
enum Phase {
    Read,
    Write(Box<AlertRecord>),
    /// Nothing is left of the event but what others may be at.
    Look,
    Claim(Box<AlertRecord>, Vec<Delivery>),
    Send(Vec<Delivery>),
    Confirm(Vec<Delivery>, Box<Delivery>, Option<Box<AlertRecord>>),
    Done,
}

#[derive(Debug, Clone)]
struct Invocation {
    event: usize,
    attempt: u32,
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Turn {
    Step(usize),
    /// The invocation dies and its event comes back.
    Crash(usize),
    /// The service says no: the event comes back.
    Refuse(usize),
    Wait,
}

struct World {
    stored: Option<AlertRecord>,
    events: Vec<Message>,
    running: Vec<Invocation>,
    /// What services took: destination and number of the step.
    sent: Vec<(DestinationName, StepKind, u64)>,
    now: i64,
    damping: Damping,
}

impl World {
    fn new(events: Vec<Message>) -> Self {
        let running =
            (0..events.len()).map(|event| Invocation { event, attempt: 0, phase: Phase::Read }).collect();
        Self { stored: None, events, running, sent: Vec::new(), now: 10_000, damping: without_flapping() }
    }

    fn owner(&self, which: usize) -> String {
        format!("{which}.{}", self.running[which].attempt)
    }

    fn store(&mut self, record: AlertRecord) -> bool {
        let version = self.stored.as_ref().map_or(0, |stored| stored.version);
        if record.version != version + 1 {
            return false;
        }
        self.stored = Some(record);
        true
    }

    fn again(&mut self, which: usize) {
        self.running[which].attempt += 1;
        self.running[which].phase = Phase::Read;
    }

    fn step(&mut self, which: usize) {
        let owner = self.owner(which);
        let now = at(self.now);
        let phase = std::mem::replace(&mut self.running[which].phase, Phase::Done);
        self.running[which].phase = match phase {
            Phase::Read => {
                let Message { alert, sent } = self.events[self.running[which].event].clone();
                let decision = rules().classify(&alert, &BTreeMap::new(), now);
                let audience = to("chat pager");
                let arrival = Arrival {
                    alert: &alert,
                    decision: &decision,
                    audience: &audience,
                    sent_at: at(sent),
                    now,
                };
                Phase::Write(Box::new(advance(self.stored.clone(), &arrival, &self.damping).0))
            }
            Phase::Write(mut record) => {
                let deliveries = record.outbox.claim(&owner, now, LEASE);
                if self.store(*record) { Phase::Send(deliveries) } else { Phase::Read }
            }
            Phase::Look => {
                let mut record = self.stored.clone().unwrap();
                let deliveries = record.outbox.claim(&owner, now, LEASE);
                record.version += 1;
                match (record.outbox.is_owed(), deliveries.is_empty()) {
                    (false, _) => Phase::Done,
                    (true, true) => Phase::Look,
                    (true, false) => Phase::Claim(Box::new(record), deliveries),
                }
            }
            Phase::Claim(record, deliveries) => {
                if self.store(*record) {
                    Phase::Send(deliveries)
                } else {
                    Phase::Look
                }
            }
            Phase::Send(mut deliveries) => match deliveries.pop() {
                None => Phase::Look,
                Some(delivery) => {
                    let number = delivery.step.number;
                    self.sent.push((delivery.destination.clone(), delivery.action, number));
                    Phase::Confirm(deliveries, Box::new(delivery), None)
                }
            },
            Phase::Confirm(rest, delivery, None) => {
                let mut record = self.stored.clone().unwrap();
                record.outbox.confirm(&delivery, Some(Receipt::Sent));
                record.version += 1;
                Phase::Confirm(rest, delivery, Some(Box::new(record)))
            }
            Phase::Confirm(rest, delivery, Some(record)) => {
                if self.store(*record) {
                    Phase::Send(rest)
                } else {
                    Phase::Confirm(rest, delivery, None)
                }
            }
            Phase::Done => Phase::Done,
        };
        // Once sent, nothing here crashes before it is confirmed: that one message would come twice,
        // and is the price of at-least-once.
    }

    fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Step(which) => self.step(which % self.running.len()),
            Turn::Wait => self.now += 20,
            Turn::Crash(which) => {
                let which = which % self.running.len();
                if !matches!(self.running[which].phase, Phase::Confirm(..) | Phase::Done) {
                    self.again(which);
                }
            }
            Turn::Refuse(which) => {
                let which = which % self.running.len();
                if let Phase::Send(deliveries) = self.running[which].phase.clone() {
                    let owner = self.owner(which);
                    let mut record = self.stored.clone().unwrap();
                    for delivery in &deliveries {
                        record.outbox.release(&delivery.destination, &owner);
                    }
                    record.version += 1;
                    assert!(self.store(record));
                    self.again(which);
                }
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..2_000 {
            if self.running.iter().all(|one| matches!(one.phase, Phase::Done)) {
                return;
            }
            for which in 0..self.running.len() {
                self.step(which);
            }
            self.now += 1;
        }
        panic!("somebody never ends: {:?}", self.running);
    }
}

fn any_turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => (0_usize..8).prop_map(Turn::Step),
        1 => (0_usize..8).prop_map(Turn::Crash),
        1 => (0_usize..8).prop_map(Turn::Refuse),
        1 => Just(Turn::Wait),
    ]
}

fn any_events() -> impl Strategy<Value = Vec<Message>> {
    let event = prop_oneof![
        4 => (0_i64..3, prop::sample::select(Severity::ALL.to_vec()), 0_i64..200).prop_map(|(firing_of, severity, sent)| {
            Message { alert: firing(severity, firing_of * 1_000), sent: firing_of * 1_000 + sent }
        }),
        2 => (0_i64..3).prop_map(|firing_of| {
            let alert = ended(firing_of * 1_000, firing_of * 1_000 + 500);
            Message { alert, sent: firing_of * 1_000 + 501 }
        }),
    ];
    let same = Just(vec![Message { alert: firing(Severity::Error, 0), sent: 1 }; 5]);
    prop_oneof![3 => prop::collection::vec(event, 1..7), 1 => same]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_crashes_each_destination_is_told_each_step_once(
        events in any_events(),
        turns in prop::collection::vec(any_turn(), 0..150),
    ) {
        let newest = events.iter().filter(|event| event.alert.status == Status::Firing).filter_map(|event| event.alert.starts_at).max();
        let mut world = World::new(events);
        for turn in turns {
            // Claims of live invocations do not run out here, nor before they are written (that call
            // times out first): see the comment in `step`.
            let has_claim = |one: &Invocation| matches!(one.phase, Phase::Claim(..) | Phase::Send(_) | Phase::Confirm(..));
            if matches!(turn, Turn::Wait) && world.running.iter().any(has_claim) {
                continue;
            }
            world.turn(turn);
        }
        world.settle();
        let record = world.stored.as_ref().unwrap();
        prop_assert!(!record.outbox.is_owed());
        for destination in ["chat", "pager"] {
            let destination = name(destination);
            let sent: Vec<_> = world.sent.iter().filter(|(to, _, _)| *to == destination).collect();
            let numbers: Vec<u64> = sent.iter().map(|(_, _, number)| *number).collect();
            prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", world.sent);
            if newest.is_some() {
                prop_assert!(sent.iter().any(|(_, kind, _)| kind.is_loud()), "{:?}", world.sent);
            }
            if let Some((_, last, _)) = sent.last() {
                let says_firing = !matches!(last, StepKind::Close | StepKind::Silent | StepKind::Missed);
                prop_assert_eq!(says_firing, record.condition == super::super::Condition::Firing);
            }
        }
    }
}
