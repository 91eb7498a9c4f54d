//! Words, reduced to what is compared.

use std::ops::Range;

/// A word or ideograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// Of its letters in lower case (ASCII only: other letters rarely change within a quotation).
    pub(super) hash: u64,
    /// In halves: a word has two, an ideograph one.
    weight: u8,
    length: u32,
}

impl Word {
    /// The fewest bytes that it takes in a row of words: its own, and a separator.
    pub(super) const fn bytes(self) -> usize {
        self.length as usize + if self.weight == 2 { 1 } else { 0 }
    }

    /// How much it counts in a passage.
    pub(super) const fn weight(self) -> usize {
        self.weight as usize
    }

    fn of(text: &str, place: &Range<usize>, weight: u8) -> Self {
        // Bit 5 is the case of an ASCII letter and set in every digit; in longer characters it
        // loses a little, which costs nothing but a rare comparison.
        const CASE: u64 = 0x2020_2020_2020_2020;
        let length = place.len();
        let mut hash = length as u64;
        let mut at = place.start;
        while at < place.end {
            let rest = &text.as_bytes()[at..];
            let eight = rest.first_chunk().map_or_else(
                || rest.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)),
                |eight| u64::from_le_bytes(*eight),
            );
            // What follows the word is masked out, which is cheaper than reading single bytes.
            let kept = (place.end - at).min(8);
            hash = mix(hash, (eight | CASE) & (u64::MAX >> (64 - 8 * kept)));
            at += 8;
        }
        Self { hash, weight, length: u32::try_from(length).unwrap_or(u32::MAX) }
    }
}

/// Adds a value to a hash.
pub(super) const fn mix(hash: u64, value: u64) -> u64 {
    let product = (hash.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ (product >> 32)
}

/// Which words the prompt may hold: one bit per word, with room enough to be wrong rarely.
pub(super) struct Filter {
    bits: Vec<u64>,
    mask: usize,
}

impl Filter {
    pub(super) fn of(words: &[Word]) -> Self {
        let size = (words.len() * 8).next_power_of_two().clamp(1 << 10, 1 << 20);
        let mut filter = Self { bits: vec![0; size / 64], mask: size - 1 };
        for word in words {
            let at = filter.place(*word);
            filter.bits[at / 64] |= 1 << (at % 64);
        }
        filter
    }

    fn place(&self, word: Word) -> usize {
        // The mask is far below 32 bits.
        (word.hash & 0xffff_ffff) as usize & self.mask
    }

    pub(super) fn may_hold(&self, word: Word) -> bool {
        let at = self.place(word);
        self.bits[at / 64] >> (at % 64) & 1 == 1
    }
}

/// What a character is to a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Letter,
    /// A word of its own: scripts that are written without spaces.
    Ideograph,
}

/// Whether a byte is an ASCII letter or digit; longer characters have to be looked at.
const LETTERS: [bool; 256] = {
    let mut letters = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        letters[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    letters
};

#[inline]
const fn of_byte(byte: u8) -> Class {
    if LETTERS[byte as usize] { Class::Letter } else { Class::Separator }
}

fn of_character(character: char) -> Class {
    match character {
        '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Class::Ideograph,
        _ if character.is_alphanumeric() => Class::Letter,
        _ => Class::Separator,
    }
}

/// The character that begins here: what it is and where it ends. `None` at the end of the text.
#[inline]
fn forward(text: &str, at: usize) -> Option<(Class, usize)> {
    let byte = *text.as_bytes().get(at)?;
    if byte < 0x80 {
        return Some((of_byte(byte), at + 1));
    }
    let character = text.get(at..)?.chars().next()?;
    Some((of_character(character), at + character.len_utf8()))
}

/// The character that ends here: what it is and where it begins. `None` at the floor.
#[inline]
fn backward(text: &str, floor: usize, at: usize) -> Option<(Class, usize)> {
    if at <= floor {
        return None;
    }
    let byte = text.as_bytes()[at - 1];
    if byte < 0x80 {
        return Some((of_byte(byte), at - 1));
    }
    let character = text.get(floor..at)?.chars().next_back()?;
    Some((of_character(character), at - character.len_utf8()))
}

/// The end of the run of letters from here.
#[inline]
fn end_of_letters(text: &str, mut at: usize) -> usize {
    loop {
        at += text.as_bytes()[at..].iter().take_while(|byte| LETTERS[usize::from(**byte)]).count();
        match text.as_bytes().get(at) {
            Some(0x80..) => {}
            _ => return at,
        }
        match forward(text, at) {
            Some((Class::Letter, next)) => at = next,
            _ => return at,
        }
    }
}

/// The words of a text and their places.
pub(super) fn words(text: &str) -> impl Iterator<Item = (Word, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.as_bytes().get(at..)?;
            at += rest.iter().take_while(|byte| **byte < 0x80 && !LETTERS[usize::from(**byte)]).count();
            let start = at;
            let (class, next) = forward(text, start)?;
            at = next;
            match class {
                Class::Separator => {}
                Class::Letter => {
                    at = end_of_letters(text, next);
                    return Some((Word::of(text, &(start..at), 2), start..at));
                }
                Class::Ideograph => return Some((Word::of(text, &(start..at), 1), start..at)),
            }
        }
    })
}

/// The last word that begins before `end` and behind `floor`, whole even if it goes on behind
/// `end`. `floor` must not stand within a word.
pub(super) fn ending_by(text: &str, floor: usize, end: usize) -> Option<(Word, Range<usize>)> {
    let mut at = text.ceil_char_boundary(end);
    loop {
        let (class, start) = backward(text, floor, at)?;
        match class {
            Class::Separator => at = start,
            Class::Ideograph => return Some((Word::of(text, &(start..at), 1), start..at)),
            Class::Letter => {
                let word_end = end_of_letters(text, at);
                let mut word_start = start;
                while let Some((Class::Letter, before)) = backward(text, floor, word_start) {
                    word_start = before;
                }
                return Some((Word::of(text, &(word_start..word_end), 2), word_start..word_end));
            }
        }
    }
}
