//! What of one exchange is shown to the judge, and which dimensions it can be asked about.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::capture::{Exchange, Role};
use crate::rubric::AppliesTo;

/// The most earlier turns that are shown; older ones are left out and counted. Each costs a pair
/// of delimiters beside its text.
const MOST_EARLIER_TURNS: usize = 20;

/// Text of a person or a model. Its `Debug` shows the length only, so that it cannot get into a
/// log by accident.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CapturedText(pub String);

impl fmt::Debug for CapturedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CapturedText({} bytes)", self.0.len())
    }
}

/// A captured text, whole or with its middle cut out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    text: CapturedText,
    cut_chars: usize,
}

impl Excerpt {
    /// `text` with at most `max_chars` of its own characters: when it is longer, its head and its
    /// tail around `[... n characters cut ...]`.
    pub fn of(text: &str, max_chars: usize) -> Self {
        let chars = text.chars().count();
        if chars <= max_chars {
            return Self { text: CapturedText(text.to_owned()), cut_chars: 0 };
        }
        let cut_chars = chars - max_chars;
        let head_chars = max_chars.div_ceil(2);
        let head = &text[..byte_of_char(text, head_chars)];
        let tail = &text[byte_of_char(text, head_chars + cut_chars)..];
        let text = format!("{head}\n[... {cut_chars} characters cut ...]\n{tail}");
        Self { text: CapturedText(text), cut_chars }
    }

    /// The text with the marker in it, not yet neutralised.
    pub fn text(&self) -> &str {
        &self.text.0
    }

    /// How many characters were cut out; 0 when it is whole.
    pub fn cut_chars(&self) -> usize {
        self.cut_chars
    }

    fn was_cut(&self) -> bool {
        self.cut_chars > 0
    }
}

/// The byte at which character number `index` begins; the end when there are fewer.
fn byte_of_char(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(byte, _)| byte)
}

/// Whether a dimension can be scored on a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applicability {
    /// It can.
    Applies,
    /// The exchange has nothing of the kind: one turn only, or no context.
    Absent,
    /// It has, but the judge does not see all of it. A score on a part would blame the model for
    /// what we cut.
    Cut,
}

/// One exchange as the judge will see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    system_prompt: Excerpt,
    context: Excerpt,
    earlier: Vec<(Role, Excerpt)>,
    earlier_left_out: usize,
    question: Excerpt,
    answer: Excerpt,
    answer_chars: usize,
    multi_turn: bool,
    with_context: bool,
}

impl Sample {
    /// Takes from `exchange` what the judge sees, with at most `max_chars` characters of captured
    /// text (the markers of the cuts come on top: at most 50 characters for each text).
    ///
    /// When all of it is too long, the answer is sure of 40 % of `max_chars`, the last question
    /// and the context of 20 % each, the system prompt and the earlier turns of 10 % each; what
    /// one does not need goes to the others in this order. Of the earlier turns the latest stay.
    ///
    /// An error reply gives a sample with an empty answer; there is nothing to judge in it.
    pub fn from_exchange(exchange: &Exchange<'_>, max_chars: usize) -> Self {
        let parts = Parts::of(exchange);
        let lengths = [
            parts.answer.chars().count(),
            parts.question.chars().count(),
            parts.context.chars().count(),
            parts.system_prompt.chars().count(),
            parts.earlier.iter().map(|(_, text)| text.chars().count()).sum(),
        ];
        let [answer, question, context, system_prompt, earlier] = allot(max_chars, lengths);
        let (earlier, earlier_left_out) = latest_turns(&parts.earlier, earlier);
        Self {
            system_prompt: Excerpt::of(&parts.system_prompt, system_prompt),
            context: Excerpt::of(&parts.context, context),
            earlier,
            earlier_left_out,
            question: Excerpt::of(parts.question, question),
            answer: Excerpt::of(parts.answer, answer),
            answer_chars: lengths[0],
            multi_turn: exchange.is_multi_turn(),
            with_context: !parts.context.trim().is_empty(),
        }
    }

    /// The operator's instructions to the observed model; empty when there were none.
    pub fn system_prompt(&self) -> &Excerpt {
        &self.system_prompt
    }

    /// What tools and retrievers returned; empty when there was none.
    pub fn context(&self) -> &Excerpt {
        &self.context
    }

    /// Turns of the person and the model before the last question, oldest first.
    pub fn earlier(&self) -> &[(Role, Excerpt)] {
        &self.earlier
    }

    /// How many still earlier turns are not shown at all.
    pub fn earlier_left_out(&self) -> usize {
        self.earlier_left_out
    }

    /// What the person said last.
    pub fn question(&self) -> &Excerpt {
        &self.question
    }

    /// What the observed model answered.
    pub fn answer(&self) -> &Excerpt {
        &self.answer
    }

    /// The length of the whole answer in characters, cut or not.
    pub fn answer_chars(&self) -> usize {
        self.answer_chars
    }

    /// Whether the person spoke more than once.
    pub fn is_multi_turn(&self) -> bool {
        self.multi_turn
    }

    /// Whether text of a tool or a retriever was captured.
    pub fn has_context(&self) -> bool {
        self.with_context
    }

    /// Whether the judge does not see everything.
    pub fn was_cut(&self) -> bool {
        self.system_prompt.was_cut()
            || self.context.was_cut()
            || self.earlier_was_cut()
            || self.question.was_cut()
            || self.answer.was_cut()
    }

    /// Whether the judge does not see all earlier turns in full.
    pub fn earlier_was_cut(&self) -> bool {
        self.earlier_left_out > 0 || self.earlier.iter().any(|(_, turn)| turn.was_cut())
    }

    /// Whether dimensions of this kind can be scored. [`super::user_text`] tells the judge, and
    /// [`super::read_reply`] drops a score that it gives all the same.
    pub fn applicability(&self, applies_to: AppliesTo) -> Applicability {
        let (is_there, was_cut) = match applies_to {
            AppliesTo::Always => return Applicability::Applies,
            AppliesTo::MultiTurn => (self.multi_turn, self.earlier_was_cut()),
            AppliesTo::WithContext => (self.with_context, self.context.was_cut()),
            AppliesTo::Whole => (true, self.was_cut()),
        };
        match (is_there, was_cut || self.answer.was_cut()) {
            (false, _) => Applicability::Absent,
            (true, true) => Applicability::Cut,
            (true, false) => Applicability::Applies,
        }
    }
}

/// The turns of an exchange, sorted by what they are to the judge.
struct Parts<'a> {
    system_prompt: String,
    context: String,
    earlier: Vec<(Role, &'a str)>,
    question: &'a str,
    answer: &'a str,
}

impl<'a> Parts<'a> {
    fn of(exchange: &'a Exchange<'_>) -> Self {
        let question_at = exchange.turns.iter().rposition(|turn| turn.role == Role::User);
        let spoken = |(index, turn): (usize, &'a crate::capture::Turn<'_>)| {
            let is_spoken = matches!(turn.role, Role::User | Role::Assistant);
            (is_spoken && Some(index) != question_at).then(|| (turn.role, turn.text.as_ref()))
        };
        Self {
            system_prompt: joined(exchange, Role::System),
            context: joined(exchange, Role::Tool),
            earlier: exchange.turns.iter().enumerate().filter_map(spoken).collect(),
            question: question_at.map_or("", |index| exchange.turns[index].text.as_ref()),
            answer: exchange.answer_text(),
        }
    }
}

fn joined(exchange: &Exchange<'_>, role: Role) -> String {
    exchange.said_by(role).collect::<Vec<_>>().join("\n\n")
}

/// Shares in percent, in order of precedence: answer, question, context, system prompt, earlier.
const SHARES: [usize; 5] = [40, 20, 20, 10, 10];

/// Splits `total` over parts of the given lengths: first each gets its share or what it needs, then
/// what is left over goes to those that need more, in order.
fn allot(total: usize, lengths: [usize; 5]) -> [usize; 5] {
    let mut given = [0; 5];
    for ((given, length), share) in given.iter_mut().zip(lengths).zip(SHARES) {
        *given = length.min(total / 100 * share + total % 100 * share / 100);
    }
    let mut left = total - given.iter().sum::<usize>();
    for (given, length) in given.iter_mut().zip(lengths) {
        let more = left.min(length - *given);
        *given += more;
        left -= more;
    }
    given
}

/// The latest of `turns` that fit into `max_chars`, oldest first, and how many are left out.
fn latest_turns(turns: &[(Role, &str)], max_chars: usize) -> (Vec<(Role, Excerpt)>, usize) {
    let mut left = max_chars;
    let mut kept = Vec::new();
    for (role, text) in turns.iter().rev().take(MOST_EARLIER_TURNS) {
        if left == 0 && !text.is_empty() {
            break;
        }
        let excerpt = Excerpt::of(text, left);
        left -= left.min(text.chars().count());
        kept.push((*role, excerpt));
    }
    kept.reverse();
    let left_out = turns.len() - kept.len();
    (kept, left_out)
}
