//! Shared by the tests of this folder: exchanges to judge.

use std::borrow::Cow;

use super::*;
use crate::capture::{Answer, Exchange, FinishReason, Role, Turn};
use crate::rubric::tests::{everything_on, shipped};

mod hostile;
mod prompts;
mod replies;
mod samples;

fn exchange<'a>(turns: &[(Role, &'a str)], answer: &'a str) -> Exchange<'a> {
    let turn = |(role, text): &(Role, &'a str)| Turn { role: *role, text: Cow::Borrowed(*text) };
    let answer = Answer::Text { text: Cow::Borrowed(answer), reasoning: None, finish: FinishReason::Stop };
    Exchange { turns: turns.iter().map(turn).collect(), answer, usage: None }
}

/// An exchange in which every slot is filled.
fn full_exchange() -> Exchange<'static> {
    let turns = [
        (Role::System, "You are the assistant of a bank."),
        (Role::User, "Hello, can I ask about fees?"),
        (Role::Assistant, "Of course."),
        (Role::Tool, "Fees: the basic account costs 3 EUR a month."),
        (Role::User, "What does the basic account cost?"),
    ];
    exchange(&turns, "The basic account costs 3 EUR a month.")
}

fn nonce() -> Nonce {
    Nonce::new(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef")
}
