//! Phone, card, social security and bank account numbers.
//!
//! All of them need at least nine digits close together. Ordinary text has few digits, so blocks
//! are counted first (the compiler makes vector instructions of that), and only what lies around
//! a dense block is read byte by byte.

use super::iban;

/// The size of a block: two of them hold the shortest number wherever it starts.
const BLOCK: usize = 32;
/// Digits in two neighbouring blocks that make them worth reading.
const DENSE: u8 = 9;
/// The longest number: an IBAN of 34 characters in groups of four.
const LONGEST: usize = 42;

/// Whether `accept` takes any number in the text.
pub(super) fn any(text: &str, mut accept: impl FnMut(&str) -> bool) -> bool {
    let bytes = text.as_bytes();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let mut before = 0;
    let mut done = 0;
    for index in 0..=blocks.len() {
        let digits = blocks.get(index).map_or_else(|| count_digits(rest), count_whole);
        if digits + before >= DENSE {
            // A number may begin in the block before, and an IBAN's letters in the one before that.
            let start = (index * BLOCK).saturating_sub(2 * BLOCK).max(done);
            let end = bytes.len().min((index + 1) * BLOCK);
            if (start..end).any(|at| number_at(text, at).is_some_and(&mut accept)) {
                return true;
            }
            done = end;
        }
        before = digits;
    }
    false
}

fn count_digits(bytes: &[u8]) -> u8 {
    bytes.iter().map(|byte| u8::from(byte.is_ascii_digit())).sum()
}

/// The same for a length that the compiler knows.
fn count_whole(block: &[u8; BLOCK]) -> u8 {
    count_digits(block)
}

/// The number that begins exactly here.
fn number_at(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let first = bytes[at];
    if !(first.is_ascii_digit() || first == b'+' || first == b'(' || first.is_ascii_uppercase()) {
        return None;
    }
    // Neither inside a word or number, nor after a sign that makes it a part of something longer.
    let before = at.checked_sub(1).map(|before| bytes[before]);
    if before
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"_.-+/#=&%$\\,".contains(&byte))
        && !(first == b'+' && before == Some(b'='))
    {
        return None;
    }
    let rest = &bytes[at..bytes.len().min(at + LONGEST + 1)];
    let length = if first.is_ascii_uppercase() {
        iban::length(rest)
    } else if first == b'+' {
        international(rest)
    } else {
        domestic(rest).or_else(|| social_security(rest)).or_else(|| card(rest))
    }?;
    // Bytes beyond ASCII are never accepted, so this is a boundary.
    text.get(at..at + length)
}

/// Whether nothing follows that would make the number a part of something longer.
pub(super) fn ends_at(rest: &[u8], end: usize) -> bool {
    let follows = |at: usize, byte: fn(&u8) -> bool| rest.get(at).is_some_and(byte);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'@';
    let joins = |byte: &u8| matches!(byte, b'-' | b'.' | b'/' | b',' | b'%');
    let goes_on = follows(end, word) || (follows(end, joins) && follows(end + 1, u8::is_ascii_digit));
    !goes_on
}

fn digits(text: &[u8]) -> impl DoubleEndedIterator<Item = u8> {
    text.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0')
}

/// `+`, a country code, 9 to 15 digits in all, groups parted by one separator or a bracket.
fn international(rest: &[u8]) -> Option<usize> {
    if !rest.get(1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut end = 1;
    let mut count = 0;
    let mut separators = 0;
    while let Some(byte) = rest.get(end) {
        let next_is = |wanted: fn(&u8) -> bool| rest.get(end + 1).is_some_and(wanted);
        match byte {
            b'0'..=b'9' => count += 1,
            b' ' | b'-' | b'.' if next_is(|byte| byte.is_ascii_digit() || *byte == b'(') => separators += 1,
            b'(' if next_is(u8::is_ascii_digit) => {}
            b')' if next_is(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'-')) => {}
            _ => break,
        }
        end += 1;
    }
    let number = &rest[..end];
    let all: Vec<u8> = digits(number).collect();
    if !(9..=15).contains(&count) || !ends_at(rest, end) || all[0] == 0 || separators > 6 {
        return None;
    }
    if all[0] == 1 {
        return (count == 11 && is_subscriber(&all[1..])).then_some(end);
    }
    // Sums and counters are round or repeat; without separators there is less to go by.
    (varied(&all) && (separators > 0 || count >= 11)).then_some(end)
}

/// A US or Canadian number: `(212) 736-5000`, `212-736-5000`, `212.736.5000`, `1-212-736-5000`.
fn domestic(rest: &[u8]) -> Option<usize> {
    let national = match rest {
        [b'1', b'-' | b'.' | b' ', ..] => 2,
        _ => 0,
    };
    let number = &rest[national..];
    let end = match number {
        [b'(', a, b, c, b')', more @ ..] if [a, b, c].into_iter().all(u8::is_ascii_digit) => {
            let gap = usize::from(more.first() == Some(&b' '));
            5 + gap + local(&more[gap..], b"-. ")?
        }
        [a, b, c, separator @ (b'-' | b'.'), more @ ..] if [a, b, c].into_iter().all(u8::is_ascii_digit) => {
            4 + local(more, &[*separator])?
        }
        _ => return None,
    } + national;
    let all: Vec<u8> = digits(&rest[national..end]).collect();
    (ends_at(rest, end) && is_subscriber(&all)).then_some(end)
}

/// The length of `NNN-NNNN` with one of the separators.
fn local(text: &[u8], separators: &[u8]) -> Option<usize> {
    let text = text.get(..8)?;
    let (exchange, line) = (&text[..3], &text[4..]);
    (separators.contains(&text[3]) && exchange.iter().chain(line).all(u8::is_ascii_digit)).then_some(8)
}

/// Whether ten digits can be a person's North American number: area and exchange start at 2, no
/// service codes, no toll-free area, no 555.
fn is_subscriber(all: &[u8]) -> bool {
    let &[area, a, b, exchange, c, d, ..] = all else {
        return false;
    };
    let toll_free = area == 8 && a == b && matches!(a, 0 | 2..=8);
    area >= 2
        && exchange >= 2
        && !toll_free
        && [area, a, b] != [9, 0, 0]
        && [area, a, b] != [5, 5, 5]
        && [exchange, c, d] != [5, 5, 5]
        && [a, b] != [1, 1]
        && [c, d] != [1, 1]
        && varied(all)
        && !all.ends_with(&[4, 5, 6, 7, 8, 9, 0])
        && !all.ends_with(&[5, 6, 7, 8, 9, 0])
}

/// Whether the digits are more than a round number or a pattern.
fn varied(all: &[u8]) -> bool {
    let mut seen = [false; 10];
    for digit in all {
        seen[usize::from(*digit)] = true;
    }
    let counts_up = all.windows(7).any(|run| run.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 10));
    seen.iter().filter(|seen| **seen).count() >= 4 && !all.ends_with(&[0, 0, 0, 0]) && !counts_up
}

/// `AAA-GG-SSSS` in ranges that are given out.
fn social_security(rest: &[u8]) -> Option<usize> {
    let text = rest.get(..11)?;
    let shaped = text.iter().enumerate().all(|(at, byte)| match at {
        3 | 6 => *byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    if !shaped || !ends_at(rest, 11) {
        return None;
    }
    let (area, group, serial) = (&text[..3], &text[4..6], &text[7..]);
    let given_out =
        !matches!(area, b"000" | b"666") && area[0] != b'9' && group != b"00" && serial != b"0000";
    // The two best known specimens, and what people type to have something there.
    let specimen = matches!(text, b"123-45-6789" | b"078-05-1120" | b"219-09-9999" | b"111-22-3333");
    let all: Vec<u8> = digits(text).collect();
    (given_out && !specimen && varied(&all)).then_some(11)
}

/// Test numbers of the card schemes and of payment services.
const TEST_CARDS: &[&str] = &[
    "30569309025904",
    "3530111333300000",
    "3566002020360505",
    "371449635398431",
    "378282246310005",
    "378734493671000",
    "38520000023237",
    "4000056655665556",
    "4012888888881881",
    "4111111111111111",
    "4222222222222",
    "4242424242424242",
    "4532015112830366",
    "4539578763621486",
    "5105105105105100",
    "5200828282828210",
    "5425233430109903",
    "5555555555554444",
    "6011000990139424",
    "6011111111111117",
    "6011000000000004",
    "2223003122003222",
    "4917610000000000",
    "4716108999716531",
];

/// A payment card: in one piece or in the groups that are printed on it.
fn card(rest: &[u8]) -> Option<usize> {
    let mut number = String::with_capacity(19);
    let mut groups: Vec<usize> = vec![0];
    let mut separator = None;
    let mut end = 0;
    while let Some(byte) = rest.get(end).filter(|_| number.len() <= 19) {
        match byte {
            b'0'..=b'9' => {
                number.push(char::from(*byte));
                if let Some(group) = groups.last_mut() {
                    *group += 1;
                }
            }
            b' ' | b'-'
                if separator.is_none_or(|known| known == *byte)
                    && rest.get(end + 1).is_some_and(u8::is_ascii_digit) =>
            {
                separator = Some(*byte);
                groups.push(0);
            }
            _ => break,
        }
        end += 1;
    }
    let grouped = matches!(groups.as_slice(), [13..=19] | [4, 4, 4, 4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 3]);
    let lead =
        |length: usize| number.get(..length).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let issued = match number.len() {
        13 => lead(1) == 4 && separator.is_some(),
        14 => matches!(lead(2), 36 | 38) || matches!(lead(3), 300..=305),
        15 => matches!(lead(2), 34 | 37),
        16 => {
            lead(1) == 4
                || matches!(lead(2), 51..=55 | 65)
                || matches!(lead(3), 644..=649)
                || matches!(lead(4), 2221..=2720 | 3528..=3589 | 6011)
        }
        19 => lead(1) == 4 || lead(2) == 62,
        _ => false,
    };
    let all: Vec<u8> = digits(number.as_bytes()).collect();
    (grouped
        && issued
        && ends_at(rest, end)
        && varied(&all)
        && luhn(&all)
        && !TEST_CARDS.contains(&number.as_str()))
    .then_some(end)
}

fn luhn(all: &[u8]) -> bool {
    let sum: u32 = all
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(*digit) << (at % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}
