//! E-mail addresses of persons.

use memchr::memchr_iter;

/// RFC 5321: the longest part before the `@`, and the longest domain.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 253;

/// Addresses in the text that can belong to a person.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = &str> {
    memchr_iter(b'@', text.as_bytes()).filter_map(move |at| address_around(text, at))
}

fn address_around(text: &str, at: usize) -> Option<&str> {
    let bytes = text.as_bytes();
    let local_length = bytes[..at]
        .iter()
        .rev()
        .take(LONGEST_LOCAL + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte))
        .count();
    let domain_length = bytes[at + 1..]
        .iter()
        .take(LONGEST_DOMAIN + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte))
        .count();
    let start = at - local_length;
    let local = text.get(start..at)?.trim_start_matches(['.', '-', '_', '+', '%']);
    let domain = text.get(at + 1..at + 1 + domain_length)?.trim_end_matches(['.', '-']);
    if local.is_empty() || local_length > LONGEST_LOCAL || domain_length > LONGEST_DOMAIN {
        return None;
    }
    // The login of `scheme://user:password@host` is the business of the secret check, and a
    // second `@` belongs to a handle or a decorator.
    let before = &bytes[start.saturating_sub(LONGEST_LOCAL)..start];
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_graphic());
    let in_address =
        matches!(before.last(), Some(b':' | b'/' | b'@')) && word.clone().any(|byte| *byte == b'/');
    if in_address || bytes.get(at + 1 + domain_length) == Some(&b'@') {
        return None;
    }
    (is_personal(local) && is_real(domain)).then(|| &text[at - local.len()..at + 1 + domain.len()])
}

/// Mailboxes of organisations and the stand-ins of templates.
const IMPERSONAL: &[&str] = &[
    "abuse",
    "accounts",
    "address",
    "admin",
    "alice",
    "billing",
    "bob",
    "careers",
    "contact",
    "customer",
    "customercare",
    "customerservice",
    "editor",
    "email",
    "enquiries",
    "example",
    "feedback",
    "firstname",
    "foo",
    "git",
    "hello",
    "help",
    "helpdesk",
    "hr",
    "info",
    "inquiries",
    "jane",
    "janedoe",
    "jdoe",
    "jobs",
    "john",
    "johndoe",
    "legal",
    "mail",
    "marketing",
    "me",
    "media",
    "name",
    "newsletter",
    "noreply",
    "office",
    "orders",
    "postmaster",
    "press",
    "privacy",
    "recipient",
    "root",
    "sales",
    "security",
    "sender",
    "service",
    "services",
    "someone",
    "support",
    "team",
    "test",
    "user",
    "username",
    "webmaster",
    "you",
    "youremail",
    "yourname",
];

/// Names that templates and manuals use for a domain.
const STAND_INS: &[&str] = &[
    "abc",
    "acme",
    "company",
    "companyname",
    "domain",
    "email",
    "example",
    "host",
    "mail",
    "mycompany",
    "mydomain",
    "sample",
    "server",
    "site",
    "test",
    "website",
    "xyz",
    "yourcompany",
    "yourdomain",
    "yoursite",
    "yourwebsite",
];

fn is_personal(local: &str) -> bool {
    let plain: String = local
        .bytes()
        .filter(u8::is_ascii_alphabetic)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    // "john.doe2" is "johndoe"; "x1" and "4711" are codes rather than names.
    plain.len() >= 3 && IMPERSONAL.binary_search(&plain.as_str()).is_err() && !plain.starts_with("noreply")
}

/// A domain that can exist: labels, a top level of letters, nothing reserved for documentation.
fn is_real(domain: &str) -> bool {
    let lower = domain.to_ascii_lowercase();
    let mut labels = lower.rsplit('.');
    let top = labels.next().unwrap_or_default();
    let Some(name) = labels.next() else {
        return false;
    };
    (2..=24).contains(&top.len())
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !matches!(top, "example" | "test" | "invalid" | "localhost" | "local" | "internal" | "lan")
        // Names of files and methods: "user@host.service", "logo@2x.png".
        && !matches!(top, "png" | "jpg" | "jpeg" | "gif" | "svg" | "js" | "py" | "rs" | "service" | "timer" | "target")
        && STAND_INS.binary_search(&name).is_err()
        && lower.split('.').all(|label| {
            (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label != "example"
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(IMPERSONAL.is_sorted() && STAND_INS.iter().all(|name| !name.contains('.')));
        let mut sorted = STAND_INS.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, STAND_INS);
    }
}
