//! Answers that decline the request.
//!
//! Found: the opening of the answer says in the first person that the model cannot, will not or
//! may not do what was asked ("I'm sorry, but I can't help with that", "As an AI, I am not able
//! to provide ..."), that the request is inappropriate or against its rules, or, in a partial
//! refusal, "While I cannot provide ..., ". Short answers that say no more than that the request
//! is wrong count too. English in detail; of other major languages the commonest openings.
//!
//! Deliberately not found: such a phrase deep in an answer, which is about something else there
//! (a story, a quotation, a limit that a helpful answer admits); speech in quotation marks; a
//! refusal without words, such as an answer to another question or "there is nothing on this in
//! the documents"; an answer that a server's filter cut, which the model did not write; "I'm sorry
//! to hear that" and "I cannot wait".
//!
//! Source: the families of phrases that the string match of `XSTest` and of jailbreak benchmarks
//! use, extended; measured against the human labels of `XSTest` (NAACL 2024) beside that string
//! match and a GPT-4 judge, see the test.
//!
//! The opening is searched for one of a few words without which no refusal is made. Only if one
//! is there are its words normalised and matched.

mod phrases;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use self::phrases::{ADVERBS, ADVOCACY, APOLOGIES, FOREIGN, HINTS, PHRASES, Rule, VERBS};
use super::literals::Literals;

/// How far into the answer a refusal can stand.
const OPENING: usize = 480;
/// The same for other languages, whose sentences are not understood here.
const FOREIGN_OPENING: usize = 240;
/// Up to this length an answer consists of little more than its opening.
const SHORT: usize = 700;

static HINT_FINDER: LazyLock<Literals> = LazyLock::new(|| Literals::new(HINTS.iter().copied()));
static FOREIGN_FINDER: LazyLock<Literals> = LazyLock::new(|| Literals::new(FOREIGN.iter().copied()));
static PHRASE_FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::ContiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(PHRASES.iter().map(|(phrase, _)| phrase))
        // These few phrases are far below every limit of the builder, as a test shows.
        .ok()
});

/// Whether the answer declines.
pub(super) fn declines(answer: &str) -> bool {
    let answer = answer.trim();
    let opening = |length| &answer[..answer.floor_char_boundary(length)];
    (HINT_FINDER.any_in(opening(OPENING)) && english(&normalised(opening(OPENING)), answer.len() <= SHORT))
        || FOREIGN_FINDER.any_in(opening(FOREIGN_OPENING))
}

fn english(opening: &str, is_short: bool) -> bool {
    let apologises = APOLOGIES.iter().any(|apology| opening.starts_with(apology));
    let first_sentence =
        if apologises { opening.len() } else { opening.find(" . ").unwrap_or(opening.len()) };
    PHRASE_FINDER.iter().flat_map(|finder| finder.find_iter(opening)).any(|hit| {
        let whole_words = opening[..hit.start()].ends_with(' ') && opening[hit.end()..].starts_with(' ');
        let follows = |verbs: &[&str]| whole_words && verb_follows(&opening[hit.end()..], verbs);
        match PHRASES.get(hit.pattern().as_usize()).map(|(_, rule)| rule) {
            Some(Rule::Declines) => whole_words,
            Some(Rule::WithVerb) => follows(VERBS),
            Some(Rule::WithAdvocacy) => follows(ADVOCACY),
            Some(Rule::Judgement) => whole_words && (is_short || hit.start() < first_sentence),
            Some(Rule::WhenShort) => whole_words && is_short,
            None => false,
        }
    })
}

/// Whether the next word that is no adverb is one of the verbs, also in its "-ing" form.
fn verb_follows(rest: &str, verbs: &[&str]) -> bool {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let Some(word) = words.by_ref().take(4).find(|word| ADVERBS.binary_search(word).is_err()) else {
        return false;
    };
    let known = |word: &str| verbs.binary_search(&word).is_ok();
    let is_verb = known(word)
        || word
            .strip_suffix("ing")
            .is_some_and(|stem| known(stem) || verbs.iter().any(|verb| verb.strip_suffix('e') == Some(stem)));
    // "I cannot help but smile", "I cannot help smiling", "I will not give up".
    let next = words.next().unwrap_or_default();
    is_verb
        && !(word == "help" && (next == "but" || next.ends_with("ing")))
        && !(word == "give" && next == "up")
}

/// The words in lower case, each between single spaces; contractions written out; `.` as a word
/// of its own where a sentence or line ends. A word in quotation marks keeps the first of them, so
/// that what somebody else says is not taken for the model's own words.
fn normalised(opening: &str) -> String {
    let mut text = String::with_capacity(opening.len() + 64);
    let mut word = String::with_capacity(24);
    text.push(' ');
    // An answer that stands in quotation marks as a whole is the model's own.
    for character in opening.trim_start_matches(['"', '“']).chars() {
        match character {
            '\'' | '’' => word.push('\''),
            _ if character.is_alphanumeric() => word.push(character.to_ascii_lowercase()),
            _ => {
                push_word(&mut text, &word);
                word.clear();
                match character {
                    '.' | '!' | '?' | '\n' if !text.ends_with(". ") => text.push_str(". "),
                    '"' | '“' | '«' | '„' => word.push('"'),
                    _ => {}
                }
            }
        }
    }
    push_word(&mut text, &word);
    text
}

fn push_word(text: &mut String, word: &str) {
    let word = word.trim_end_matches('\'');
    if word.is_empty() || word == "\"" {
        return;
    }
    let Some((stem, ending)) = word.split_once('\'') else {
        // "can not" and "cannot" are the same.
        if word == "not" && text.ends_with(" can ") {
            text.pop();
        }
        text.push_str(word);
        text.push(' ');
        return;
    };
    let full = match ending {
        "m" => "am",
        "s" => "is",
        "re" => "are",
        "ve" => "have",
        "ll" => "will",
        "d" => "would",
        "t" => "not",
        _ => ending,
    };
    let stem = match (stem, ending) {
        ("can", "t") => "can",
        ("won", "t") => "will",
        (_, "t") => stem.strip_suffix('n').unwrap_or(stem),
        _ => stem,
    };
    text.push_str(stem);
    // "can't" becomes one word, like "can not".
    if stem != "can" || full != "not" {
        text.push(' ');
    }
    text.push_str(full);
    text.push(' ');
}

#[cfg(test)]
mod tests;
