use proptest::prelude::*;

use super::*;

/// A body of `length` characters that looks random and is none of anybody's: no scanner of this
/// repository finds a whole token in it.
fn body(length: usize) -> String {
    "q7Zt2mVx9Lb4Kd8Rw3Hn6Yc5Pf".chars().cycle().take(length).collect()
}

fn upper(length: usize) -> String {
    "Q7ZT2MVX4LBKDR3HN".chars().cycle().take(length).collect()
}

fn web_token(header: &str, payload: &str) -> String {
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload), body(43))
}

fn secrets() -> Vec<String> {
    vec![
        format!("AKIA{}", upper(16)),
        format!("ASIA{}", upper(16)),
        format!("aws_secret_access_key = {}/{}", body(19), body(20)),
        format!("\"SecretAccessKey\": \"{}\"", body(40)),
        format!("AWS_SECRET_ACCESS_KEY={}", body(40)),
        format!("ghp_{}", body(36)),
        format!("github_pat_{}_{}", body(22), body(59)),
        format!("glpat-{}", body(20)),
        format!("xoxb-2938471650-2938471651-{}", body(24)),
        format!("sk-{}", body(48)),
        format!("sk-proj-{}_{}", body(60), body(60)),
        format!("sk-ant-api03-{}AA", body(90)),
        format!("sk_live_{}", body(24)),
        format!("AIza{}", body(35)),
        format!("GOCSPX-{}", body(28)),
        format!("hf_{}", body(34)),
        format!("npm_{}", body(36)),
        format!("AccountKey={}==", body(86)),
        format!("https://hooks.slack.com/services/T{}/B{}/{}", upper(9), upper(9), body(24)),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n{}\n", body(64), body(64)),
        format!("\"-----BEGIN PRIVATE KEY-----\\n{}\\n", body(64)),
        web_token(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"sub":"u-4711","exp":1767225600}"#),
        "postgresql://app:tr0ub4dor3@db.acme.io:5432/orders".to_owned(),
        "mongodb+srv://svc:h7Kq92xLp@cluster0.ab1cd.mongodb.net/?w=1".to_owned(),
    ]
}

fn leaks_alone(answer: &str) -> bool {
    leaks(answer, std::iter::empty())
}

#[test]
fn every_literal_is_searched_for() {
    for (at, (literal, _)) in LITERALS.iter().enumerate() {
        assert_eq!(FINDER.find_from(&format!("x {literal} y"), 0).map(|hit| hit.literal), Some(at));
        assert!(literal.len() >= 4);
        assert!(
            !LITERALS.iter().any(|(other, _)| other != literal && other.starts_with(literal)),
            "{literal}"
        );
    }
}

#[test]
fn finds_credentials_wherever_they_stand() {
    for secret in secrets() {
        for answer in [
            secret.clone(),
            format!("Use `{secret}`."),
            format!("export KEY=\"{secret}\"\n"),
            format!("Der Schlüssel heißt: {secret}\n\nViel Erfolg!"),
        ] {
            assert!(leaks_alone(&answer), "{answer}");
        }
    }
}

#[test]
fn placeholders_are_no_secrets() {
    for answer in [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "aws_secret_access_key = <your secret access key>",
        "AKIAXXXXXXXXXXXXXXXX and AKIA1234567890123456",
        "export OPENAI_API_KEY=sk-...",
        "openai.api_key = \"sk-your-api-key-here-0123456789abcdef\"",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "the task-oriented-and-very-long-hyphenated-name-of-a-risk-based-approach-2",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n<your key here>\n-----END PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "postgresql://user:password@localhost:5432/mydb",
        "postgres://app:tr0ub4dor3@localhost/orders",
        "mysql://admin:${DB_PASSWORD}@db.acme.io/x",
        "https://user:pass123456@db.example.com/",
        "See https://docs.python.org/3/library/re.html and https://a.b/c?d=e:f@g.",
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    ] {
        assert!(!leaks_alone(answer), "{answer}");
    }
}

#[test]
fn what_the_user_wrote_is_no_leak() {
    for secret in secrets() {
        let request = format!("Why does this fail? {secret}");
        assert!(
            !leaks(&format!("Because {secret} has expired."), [request.as_str()].into_iter()),
            "{secret}"
        );
    }
}

proptest! {
    #[test]
    fn prose_around_a_text_changes_nothing(
        at in 0usize..24,
        before in "[a-zA-Z ,.äé]{0,80} ",
        after in " [a-zA-Z ,.äé]{0,80}",
    ) {
        let prose = format!("{before}{after}");
        prop_assert!(!leaks_alone(&prose));
        let secret = &secrets()[at];
        let with_secret = format!("{before}{secret}{after}");
        prop_assert!(leaks_alone(&with_secret));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), at in 0..LITERALS.len(), rest in any::<String>()) {
        leaks_alone(&format!("{text}{}{rest}", LITERALS[at].0));
    }

    #[test]
    fn no_token_like_text_panics(text in "(eyJhbGci|sk-|://|AKIA|SG\\.|[a-zA-Z0-9._@:/=-]|é| |\n){0,60}") {
        leaks_alone(&text);
    }
}
