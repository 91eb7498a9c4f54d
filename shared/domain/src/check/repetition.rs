//! Answers that end in a loop.
//!
//! Found: the tail of the answer is one unit (a character, word, line or paragraph) over and over
//! until the text stops, as a model does that runs into its token limit. A unit of whole words
//! may carry a counter ("Step 41: check it again. Step 42: check it again. ..."), unless it holds
//! the marks of a table, of data or of code.
//!
//! Deliberately not found: repetition that the model leaves by itself and goes on after, so poems
//! with a refrain and answers that make a point three times; rows of a table or a list, which
//! differ; rules of `-` or `=` and zero-filled rows, unless they fill [`BARE_SPAN`] bytes
//! (a server with broken weights answers with nothing but "!").
//!
//! Source: the tail periodicity that serving engines use to stop runaway generation; the
//! thresholds are set so that none of the Vicuna blog answers is hit.
//!
//! Only the last [`WINDOW`] bytes are read, so the cost does not grow with the answer. Almost
//! every answer is cleared by one substring search: a loop must show its own end twice more.

use std::ops::Range;

use memchr::memmem;

/// How much of the tail is read: a unit of up to a third of this can be seen to loop.
const WINDOW: usize = 8192;
/// How many bytes the repetition must cover when its unit holds a letter.
const SPAN: usize = 240;
/// The same for a unit without any letter: tables of numbers and long rules are not loops.
const BARE_SPAN: usize = 1500;
/// Covered bytes from which three rounds of a long unit are enough.
const PARAGRAPHS: usize = 1200;
/// Covered bytes for a unit with a counter; lists with one word per row stay below.
const COUNTED_SPAN: usize = 1000;
/// Rounds of a unit with a counter: "Week 1: rest" to "Week 8: rest" is a plan.
const COUNTED_ROUNDS: usize = 12;
/// Letters in a unit with a counter; rows of a times table have fewer.
const COUNTED_LETTERS: usize = 20;
/// How much of the end is searched for again.
const NEEDLE: usize = 24;

/// Whether the answer ends in a loop.
pub(super) fn ends_in_loop(answer: &str) -> bool {
    let answer = answer.trim_ascii_end().as_bytes();
    if answer.len() < SPAN {
        return false;
    }
    let tail = &answer[answer.len().saturating_sub(WINDOW)..];
    let needle = needle(tail);
    // The search ends where the needle may overlap itself by all but one byte: "aaaa" recurs
    // one byte earlier.
    let before = &tail[..needle.end - 1];
    let finder = memmem::Finder::new(&tail[needle]);
    let recurs = finder.find(before).and_then(|first| finder.find(&before[first + 1..]));
    if recurs.is_none() {
        return false;
    }
    let backwards: Vec<u8> = tail.iter().rev().copied().collect();
    if exact_loop(&backwards) {
        return true;
    }
    let (uncounted, lengths) = without_counters(&backwards);
    uncounted.len() < backwards.len() && counted_loop(&uncounted, &lengths)
}

/// The last stretch without a digit, which recurs in a loop whether it counts or not; else just
/// the end, and then only loops without a counter can be found.
fn needle(tail: &[u8]) -> Range<usize> {
    let mut end = tail.len();
    while end >= NEEDLE && tail.len() - end < 256 {
        match tail[end - NEEDLE..end].iter().position(u8::is_ascii_digit) {
            None => return end - NEEDLE..end,
            Some(digit) => end = end - NEEDLE + digit,
        }
    }
    tail.len() - NEEDLE..tail.len()
}

fn exact_loop(backwards: &[u8]) -> bool {
    let matches = matches_with_start(backwards);
    (1..=backwards.len() / 3).any(|period| {
        let span = period + matches[period];
        let rounds = span / period;
        if rounds < 3 || span < SPAN {
            return false;
        }
        let enough = if rounds >= 4 { SPAN } else { PARAGRAPHS };
        // The unit is looked at last: its cost is the period, and the spans of the periods that
        // get here are multiples of it.
        span >= BARE_SPAN || (span >= enough && backwards[..period].iter().any(|byte| is_letter(*byte)))
    })
}

fn counted_loop(backwards: &[u8], lengths: &[u16]) -> bool {
    let matches = matches_with_start(backwards);
    // Only the shortest unit is looked at: two rows of a table together have letters enough.
    let unit = (1..=backwards.len() / COUNTED_ROUNDS).find(|period| {
        let span = period + matches[*period];
        span / period >= COUNTED_ROUNDS
            && lengths[..span].iter().map(|length| usize::from(*length)).sum::<usize>() >= COUNTED_SPAN
    });
    unit.is_some_and(|period| {
        let unit = &backwards[..period];
        unit.iter().filter(|byte| is_letter(**byte)).count() >= COUNTED_LETTERS
            && !unit.iter().any(|byte| b"|{}[]<>=;\"\t".contains(byte))
    })
}

/// Letters of any script: bytes of a multi-byte character count as one.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80
}

/// The text with every run of digits replaced by one `0`, and how many bytes each byte stands for.
fn without_counters(text: &[u8]) -> (Vec<u8>, Vec<u16>) {
    let mut plain = Vec::with_capacity(text.len());
    let mut lengths: Vec<u16> = Vec::with_capacity(text.len());
    for byte in text {
        match lengths.last_mut() {
            Some(length) if byte.is_ascii_digit() && plain.last() == Some(&b'0') => *length += 1,
            _ => {
                plain.push(if byte.is_ascii_digit() { b'0' } else { *byte });
                lengths.push(1);
            }
        }
    }
    (plain, lengths)
}

/// For every position, how many bytes from there on equal the start of the text: the Z function,
/// in linear time.
fn matches_with_start(text: &[u8]) -> Vec<usize> {
    let mut matches = vec![0; text.len()];
    let (mut left, mut right) = (0, 0);
    for at in 1..text.len() {
        let mut length = if at < right { matches[at - left].min(right - at) } else { 0 };
        while at + length < text.len() && text[length] == text[at + length] {
            length += 1;
        }
        if at + length > right {
            (left, right) = (at, at + length);
        }
        matches[at] = length;
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_loops_of_characters_words_lines_and_paragraphs() {
        let paragraph = "The committee met in the afternoon. It discussed the matter at length, and it \
                         came to no conclusion. Every member then asked for the floor a second time, and \
                         the chair, who was tired, granted it to each of them in turn until the evening. ";
        let beginning = "Here is what you asked for, in a few words of my own. ";
        for (unit, rounds) in [
            ("a", 400),
            ("ha ", 100),
            ("I am sorry. ", 40),
            ("- and then we go on\n", 20),
            ("的", 200),
            ("!", 2000),
            (paragraph, 5),
        ] {
            let text = format!("{beginning}{}", unit.repeat(rounds));
            assert!(ends_in_loop(&text), "{unit}");
            // Cut in the middle of a round, as a token limit does.
            let mut cut = text.len() - unit.len() / 2;
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            assert!(ends_in_loop(&text[..cut]), "{unit}, cut");
        }
        let steps = (97..140).map(|step| format!("Step {step}: check the result again. "));
        let counted: Vec<String> = [beginning.to_owned()].into_iter().chain(steps).collect();
        let counted = counted.concat();
        assert!(ends_in_loop(&counted));
    }

    #[test]
    fn leaves_structure_alone() {
        let row = |row: u32| format!("| {row} | {} | yes | 0 |\n", row * 37 % 11);
        let table = (1..60).map(row).collect::<Vec<_>>().concat();
        let product = |at: u32| format!("{} x {} = {}\n", at / 12, at % 12, (at / 12) * (at % 12));
        let products = (12..156).map(product).collect::<Vec<_>>().concat();
        let plan = (1..40).map(|day| format!("Day {day}: run\n")).collect::<Vec<_>>().concat();
        let chorus = "Oh, roll on, river, roll on to the sea,\nroll on, river, and come back to me.\n\n";
        let poem = ["The mill stood still", "The boats came in", "The moon went down", "The morning came"]
            .map(|verse| {
                format!("{verse} when the year was old,\nnobody knew what the water told.\n\n{chorus}")
            })
            .concat();
        let zeros = "| 0 | 0 | 0 | 0 |\n".repeat(30);
        let rule = format!("Title\n{}", "-".repeat(800));
        let code = format!("fn main() {{\n{}{}", "    step();\n".repeat(6), "    }\n".repeat(8));
        let googol = format!("A one and a hundred zeros: 1{}", "0".repeat(300));
        for text in [&table, &products, &plan, &poem, &zeros, &rule, &code, &googol, &"Very. ".repeat(20)] {
            assert!(!ends_in_loop(text), "{text}");
        }
        let recovered =
            format!("{}But now to something else: the weather is fine today.", "No. ".repeat(100));
        assert!(!ends_in_loop(&recovered));
    }
}
