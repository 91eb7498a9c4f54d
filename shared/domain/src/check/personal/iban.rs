//! International bank account numbers.

/// Countries of the IBAN registry and the length of their accounts, sorted.
const COUNTRIES: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"XK", 20),
];

/// Specimens of the registry and of every article about it.
const SPECIMENS: &[&str] = &[
    "AT611904300234573201",
    "BE68539007547034",
    "CH9300762011623852957",
    "DE89370400440532013000",
    "ES9121000418450200051332",
    "FR1420041010050500013M02606",
    "GB29NWBK60161331926819",
    "GB33BUKB20201555555555",
    "GB82WEST12345698765432",
    "IE29AIBK93115212345678",
    "IT60X0542811101000000123456",
    "NL91ABNA0417164300",
    "NO9386011117947",
    "SE4550000000058398257466",
    "FR7630006000011234567890189",
    "ES9121000418450200051332",
    "BE71096123456769",
];

/// The bytes of an account that begins here, in one piece or in groups of four.
pub(super) fn length(rest: &[u8]) -> Option<usize> {
    let country = rest.first_chunk::<2>()?;
    let index = COUNTRIES.binary_search_by(|(code, _)| (*code).cmp(country)).ok()?;
    let (_, length) = COUNTRIES[index];
    if !rest.get(2..4)?.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let grouped = rest.get(4) == Some(&b' ');
    let mut account = String::with_capacity(length);
    let mut end = 0;
    while account.len() < length {
        let byte = *rest.get(end)?;
        if grouped && end % 5 == 4 {
            if byte != b' ' {
                return None;
            }
        } else if byte.is_ascii_uppercase() || byte.is_ascii_digit() {
            account.push(char::from(byte));
        } else {
            return None;
        }
        end += 1;
    }
    let (head, body) = account.split_at(4);
    let remainder = body.bytes().chain(head.bytes()).fold(0, |remainder: u32, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte - b'A' + 10)) % 97,
    });
    (remainder == 1 && super::number::ends_at(rest, end) && !SPECIMENS.contains(&account.as_str()))
        .then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countries_are_sorted() {
        assert!(COUNTRIES.is_sorted());
    }
}
