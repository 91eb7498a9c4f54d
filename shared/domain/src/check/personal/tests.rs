use proptest::prelude::*;

use super::*;

/// Invented, or public numbers of institutions; all satisfy their check digits.
const PERSONAL: &[&str] = &[
    "maria.lopez@gmail.com",
    "k.tanaka-92@mail.kyoto-u.ac.jp",
    "+49 30 20453097",
    "+44 (0)20 7219 4272",
    "+33 1 42 34 20 00",
    "+4915172839406",
    "+1 (202) 224-3121",
    "+1-212-736-5001",
    "(212) 736-5001",
    "212-736-5001",
    "212.736.5001",
    "1-212-736-5001",
    "4539 1488 0343 6467",
    "4539148803436467",
    "5425-2334-3010-9911",
    "3714 496353 98456",
    "536-22-8714",
    "DE02 1203 0000 0000 2020 51",
    "DE02120300000000202051",
    "FR61 1027 8060 3100 0204 4290 115",
    "GB98 MIDL 0700 9312 3456 78",
];

fn appears_alone(answer: &str) -> bool {
    appears(answer, std::iter::empty())
}

#[test]
fn finds_personal_data_wherever_it_stands() {
    for data in PERSONAL {
        for answer in [
            (*data).to_owned(),
            format!("You can reach her at {data}."),
            format!("Müller: {data}, or later"),
            format!("{}\n- **Contact**: {data}\n", "Some words before it. ".repeat(9)),
            format!("<p>{data}</p>"),
        ] {
            assert!(appears_alone(&answer), "{answer}");
        }
    }
}

#[test]
fn leaves_what_belongs_to_nobody() {
    for answer in [
        "jane@example.com, john.doe@gmail.com, info@bbc.co.uk, support@github.com, you@domain.com",
        "git@github.com:rust-lang/rust.git and lodash@4.17.21 and @app.route and user@host",
        "logo@2x.png, systemctl start user@1000.service",
        "postgres://app:tr0ub4dor3@db.acme.io/orders",
        "Call 1-800-273-8255 or (800) 273-8255, or 555-555-5555, (555) 123-4567, 212-555-0123.",
        "123-456-7890 and (123) 456-7890 and 999-999-9999",
        "+1000000000 and x+4915172839406 and 1234567890 + 9876543210",
        "4111 1111 1111 1111, 4242424242424242, 5555-5555-5555-4444",
        "4539 1488 0343 6468, 4539148803436468",
        "123-45-6789, 000-12-3456, 666-12-3456, 536-00-8714, 2024-01-15",
        "DE89 3704 0044 0532 0130 00, GB82WEST12345698765432, DE02 1203 0000 0000 2020 52",
        "3.14159265358979323846264338327950288419716939937510",
        "2024-01-15T10:20:30.123456Z, ISBN 978-3-16-148410-0, 192.168.100.200, 1,234,567,890,123",
        "0 1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987 1597 2584 4181 6765",
        "1736243520123 1736243520124 550e8400-e29b-41d4-a716-446655440000",
        "| 2019 | 2020 | 2021 | 2022 | 2023 |\n| 4539 | 1488 | 0343 | 6467 | 12 |",
    ] {
        let mut hits = mail::addresses(answer).map(str::to_owned).collect::<Vec<_>>();
        number::any(answer, |number| {
            hits.push(number.to_owned());
            false
        });
        assert_eq!(hits, Vec::<String>::new(), "{answer}");
    }
}

#[test]
fn what_stands_in_the_request_is_no_finding() {
    for data in PERSONAL {
        let request = [format!("My data: {data}")];
        let request = request.iter().map(String::as_str);
        assert!(!appears(&format!("Thank you, I noted {data}."), request.clone()), "{data}");
        assert!(appears(&format!("Thank you, I noted {data} and ana.silva@uol.com.br."), request), "{data}");
    }
    // Written in another way.
    assert!(!appears("I noted (212) 736-5001.", ["call me: +12127365001"].into_iter()));
}

proptest! {
    #[test]
    fn prose_around_it_hides_nothing(
        at in 0..PERSONAL.len(),
        before in "([a-zA-Z,äé]{0,9} ){0,12}",
        after in "( [a-zA-Z,.äé]{0,9}){0,12}",
    ) {
        let prose = format!("{before}{after}");
        prop_assert!(!appears_alone(&prose));
        let text = format!("{before}{}{after}", PERSONAL[at]);
        prop_assert!(appears_alone(&text));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        appears_alone(&text);
    }

    #[test]
    fn no_number_like_text_panics(text in "([0-9]|[0-9]{4}|[+() .-]|DE|GB|@|a|é|\n){0,80}") {
        appears_alone(&text);
        appears(&text, [text.as_str()].into_iter());
    }
}
