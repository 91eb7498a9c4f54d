//! Credentials in an answer.
//!
//! Found: AWS access key ids and secret access keys, tokens of GitHub, GitLab, Slack, `OpenAI`,
//! Anthropic, Stripe, Google, Hugging Face and npm, Slack webhook addresses, private key
//! blocks with a body, JSON web tokens, passwords in connection addresses, Azure storage keys.
//!
//! Deliberately not found:
//! - placeholders: the vendors' documented examples (`AKIAIOSFODNN7EXAMPLE`), `sk-...`, `<your
//!   key>`, `xxxx`, runs such as `12345678`, too little variety, test-mode keys, a key block
//!   without a body, a password for `localhost`. A tutorial is not a leak.
//! - what the user wrote: the model gives them back their own words. A secret that stands in the
//!   system prompt or in a tool's result **is** leaked when it reaches the answer, for the person
//!   may never have seen it.
//! - passwords in prose and opaque hex: nothing tells them from ordinary text.
//!
//! Source: the vendors' published token formats, as secret scanners use them. Each is found by a
//! literal that it must contain and then verified by hand, which needs no compiled expression.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::{memchr_iter, memmem};

use super::echo::Echo;
use super::literals::Literals;

/// What begins at a literal, and how the rest is verified.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The literal, then at least this many of the token's characters.
    Token { least: usize, most: usize, also: &'static [u8] },
    /// An AWS access key id: 16 capitals and digits.
    AccessKeyId,
    /// `aws_secret_access_key` and its relatives, then 40 characters of base64.
    SecretAccessKey,
    /// The end of a `-----BEGIN ... PRIVATE KEY-----` line.
    PrivateKey,
    /// A JSON web token.
    WebToken,
    /// `hooks.slack.com/services/T.../B.../...`
    SlackWebhook,
}

const fn token(least: usize, most: usize, also: &'static [u8]) -> Kind {
    Kind::Token { least, most, also }
}

/// Every literal is at least four bytes long, which is what the vectorised search compares at once
/// and so what keeps it from stopping at ordinary words; none is a prefix of another.
const LITERALS: &[(&str, Kind)] = &[
    ("AKIA", Kind::AccessKeyId),
    ("ASIA", Kind::AccessKeyId),
    ("ecret_access_key", Kind::SecretAccessKey),
    ("ecretAccessKey", Kind::SecretAccessKey),
    ("ECRET_ACCESS_KEY", Kind::SecretAccessKey),
    ("PRIVATE KEY-----", Kind::PrivateKey),
    // The header of a web token, `{"alg`, `{"typ` or `{"kid` in base64.
    ("eyJhbGci", Kind::WebToken),
    ("eyJ0eXAi", Kind::WebToken),
    ("eyJraWQi", Kind::WebToken),
    ("hooks.slack.com/services/T", Kind::SlackWebhook),
    ("ghp_", token(36, 36, b"")),
    ("gho_", token(36, 36, b"")),
    ("ghu_", token(36, 36, b"")),
    ("ghs_", token(36, 36, b"")),
    ("ghr_", token(36, 80, b"")),
    ("github_pat_", token(60, 100, b"_")),
    ("glpat-", token(20, 60, b"_-.")),
    ("xoxa-", token(24, 200, b"-")),
    ("xoxb-", token(24, 200, b"-")),
    ("xoxe-", token(24, 300, b"-")),
    ("xoxp-", token(24, 200, b"-")),
    ("xoxr-", token(24, 200, b"-")),
    ("xoxs-", token(24, 200, b"-")),
    ("xapp-", token(24, 200, b"-")),
    ("sk_live_", token(24, 250, b"")),
    ("rk_live_", token(24, 250, b"")),
    ("AIza", token(35, 35, b"_-")),
    ("GOCSPX-", token(28, 28, b"_-")),
    ("npm_", token(36, 36, b"")),
    ("AccountKey=", token(86, 88, b"+/=")),
];

/// Shorter ones are each searched for alone.
const SHORT_LITERALS: &[(&str, Kind)] = &[
    // OpenAI (sk-, sk-proj-, sk-svcacct-) and Anthropic (sk-ant-api03-) in one.
    ("sk-", token(32, 250, b"_-")),
    ("hf_", token(34, 40, b"")),
];

static FINDER: LazyLock<Literals> =
    LazyLock::new(|| Literals::new(LITERALS.iter().map(|(literal, _)| *literal)));

/// Whether the answer carries a credential that the user did not write.
pub(super) fn leaks<'a>(answer: &str, by_user: impl Iterator<Item = &'a str> + Clone) -> bool {
    let mut echo = Echo::verbatim(by_user);
    candidates(answer).any(|secret| echo.is_new(secret))
}

/// Every credential in the text.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    let long = FINDER.hits(text).filter_map(move |hit| {
        let (_, kind) = LITERALS.get(hit.literal)?;
        secret_at(text, hit.start, hit.end, *kind)
    });
    let short = SHORT_LITERALS.iter().flat_map(move |(literal, kind)| {
        memmem::find_iter(text.as_bytes(), *literal)
            .filter_map(move |start| secret_at(text, start, start + literal.len(), *kind))
    });
    // Text has fewer `@` than `://`.
    let passwords = memchr_iter(b'@', text.as_bytes()).filter_map(move |at| password(text, at));
    long.chain(short).chain(passwords)
}

fn secret_at(text: &str, start: usize, end: usize, kind: Kind) -> Option<&str> {
    let bytes = text.as_bytes();
    // A `-` does not begin a token either: then no two candidates overlap, and the time is linear.
    let starts_word = start == 0 || !(is_word(bytes[start - 1]) || bytes[start - 1] == b'-');
    match kind {
        Kind::Token { least, most, also } if starts_word => {
            let body = run(text, end, most + 1, |byte| byte.is_ascii_alphanumeric() || also.contains(&byte));
            // A sentence may end right after the token.
            let body = body.trim_end_matches(['.', '-', '_']);
            ((least..=most).contains(&body.len()) && looks_real(body)).then(|| &text[start..end + body.len()])
        }
        Kind::AccessKeyId if starts_word => {
            let body = run(text, end, 17, |byte| byte.is_ascii_alphanumeric());
            (body.len() == 16
                && body.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
                && looks_real(body))
            .then(|| &text[start..end + body.len()])
        }
        Kind::SecretAccessKey => {
            let gap =
                run(text, end, 16, |byte| matches!(byte, b' ' | b'"' | b'\'' | b'=' | b':' | b'`' | b'>'));
            let start = end + gap.len();
            let body = run(text, start, 41, |byte| byte.is_ascii_alphanumeric() || b"/+=".contains(&byte));
            (!gap.is_empty() && body.len() == 40 && looks_real(body)).then_some(body)
        }
        Kind::PrivateKey => {
            // "\n" may stand escaped, as in the JSON of a service account.
            let rest = &text[end..];
            let gap = rest.len() - rest.trim_start_matches(['\n', '\r', ' ', '\\', 'n', 'r']).len();
            let body =
                run(text, end + gap, 64, |byte| byte.is_ascii_alphanumeric() || b"/+=".contains(&byte));
            (gap <= 16 && body.len() >= 40 && looks_real(body)).then_some(body)
        }
        Kind::WebToken if starts_word => web_token(text, start),
        Kind::Token { .. } | Kind::AccessKeyId | Kind::WebToken => None,
        Kind::SlackWebhook => {
            let path = run(text, end, 80, |byte| byte.is_ascii_alphanumeric() || byte == b'/');
            let mut parts = path.split('/');
            let (team, app, key) = (parts.next()?, parts.next()?, parts.next()?);
            (team.len() >= 8 && app.starts_with('B') && app.len() >= 8 && key.len() >= 20 && looks_real(key))
                .then(|| &text[start..end + path.len()])
        }
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The longest run of accepted ASCII bytes from `start`, at most `most` long.
fn run(text: &str, start: usize, most: usize, accept: impl Fn(u8) -> bool) -> &str {
    let length = text.as_bytes()[start..]
        .iter()
        .take(most)
        .position(|byte| !accept(*byte))
        .unwrap_or_else(|| most.min(text.len() - start));
    // Only ASCII was accepted, so this is a boundary unless a caller accepts other bytes.
    text.get(start..start + length).unwrap_or_default()
}

/// Words that give a placeholder away, lower case.
const PLACEHOLDERS: &[&[u8]] = &[
    b"example",
    b"your",
    b"xxxx",
    b"placeholder",
    b"dummy",
    b"sample",
    b"fake",
    b"redacted",
    b"replace",
    b"secret",
    b"insert",
    b"12345678",
    b"abcdefgh",
    b"abcd1234",
    b"1234abcd",
    b"apikey",
    b"api-key",
    b"api_key",
];

/// Whether a token has the variety of a random one: a placeholder is a word, a run or a pattern.
fn looks_real(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    let lower = lower.as_bytes();
    let mut seen = [false; 256];
    for byte in lower {
        seen[usize::from(*byte)] = true;
    }
    let variety = seen.iter().filter(|seen| **seen).count();
    variety >= 9
        && lower.iter().any(u8::is_ascii_digit)
        && lower.iter().any(u8::is_ascii_alphabetic)
        && !lower.windows(5).any(|window| window.iter().all(|byte| *byte == window[0]))
        && !PLACEHOLDERS.iter().any(|word| memmem::find(lower, word).is_some())
}

/// The longest header that is decoded; real ones have some 40 to 200 bytes.
const LONGEST_PART: usize = 4096;

fn web_token(text: &str, start: usize) -> Option<&str> {
    let part = |from: usize| {
        run(text, from, LONGEST_PART, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let next = |at: usize| (text.as_bytes().get(at) == Some(&b'.')).then_some(at + 1);
    let header = part(start);
    let payload_at = next(start + header.len())?;
    let payload = part(payload_at);
    let signature_at = next(payload_at + payload.len())?;
    let signature = part(signature_at);
    if signature.len() < 20 || !payload.starts_with("eyJ") || !looks_real(signature) {
        return None;
    }
    let header = URL_SAFE_NO_PAD.decode(header).ok()?;
    memmem::find(&header, b"\"alg\"")?;
    // The subject of the specimen on jwt.io, which stands in most tutorials.
    let specimen = URL_SAFE_NO_PAD
        .decode(payload)
        .is_ok_and(|payload| memmem::find(&payload, b"\"sub\":\"1234567890\"").is_some());
    (!specimen).then(|| &text[start..signature_at + signature.len()])
}

/// The longest `user:password` that is looked at.
const LONGEST_LOGIN: usize = 256;

/// Hosts that only the writer can reach, and those of documentation.
const UNREACHABLE: &[&str] = &["localhost", "127.", "0.0.0.0", "192.0.2."];

/// The password in `scheme://user:password@host`, whose `@` stands here.
fn password(text: &str, at: usize) -> Option<&str> {
    let login_length = text.as_bytes()[..at]
        .iter()
        .rev()
        .take(LONGEST_LOGIN)
        .take_while(|byte| byte.is_ascii_graphic() && !b"/\"'`<>()?#,;|\\@".contains(byte))
        .count();
    let (before, login) = text.get(..at)?.split_at_checked(at - login_length)?;
    let (_, password) = login.split_once(':')?;
    if !before.strip_suffix("://")?.ends_with(|scheme: char| scheme.is_ascii_alphanumeric()) {
        return None;
    }
    let host = run(text, at + 1, 253, |byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let host = host.to_ascii_lowercase();
    let real_host = host.contains('.')
        && !UNREACHABLE.iter().any(|start| host.starts_with(start))
        && !host.split('.').any(|label| matches!(label, "example" | "test" | "invalid"));
    (real_host && is_chosen(password)).then_some(password)
}

/// Whether this can be a password in use: long enough and not the word for one.
fn is_chosen(password: &str) -> bool {
    let lower = password.to_ascii_lowercase();
    (8..=128).contains(&password.len())
        && !password.contains(['{', '}', '$', '[', ']', '*', '%'])
        && ![
            "pass", "secret", "your", "user", "change", "example", "xxxx", "token", "admin", "pwd",
            "12345678",
        ]
        .iter()
        .any(|word| lower.contains(word))
        && lower.bytes().any(|byte| byte.is_ascii_digit())
        && lower.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests;
