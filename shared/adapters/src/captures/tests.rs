use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::wire::{Reply, SECRET, Sent, Wire};

const KEY: &str = "chat/AllTraffic/2026/11/24/12/a b+c.jsonl";

fn object(parts: Vec<Vec<u8>>) -> Reply {
    Reply::parts(200, parts).header("etag", "\"e1\"")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn xml_error(status: u16, code: &str) -> Reply {
    Reply::new(status, format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"))
}

async fn open(wire: &Wire, etag: Option<&str>) -> Result<CaptureObject, Unopened> {
    Captures::new(&wire.config()).open("bucket", KEY, etag, 1000).await
}

/// The lines of an object with this body, and whether its end was reached.
async fn read(body: Reply) -> (Vec<String>, bool) {
    let mut object = open(&Wire::new([body]), None).await.unwrap();
    let mut lines = Vec::new();
    loop {
        match object.lines.next().await {
            Ok(Some(Line::Whole(line))) => lines.push(String::from_utf8(line.to_vec()).unwrap()),
            Ok(Some(Line::TooLong { bytes })) => lines.push(format!("too long: {bytes}")),
            Ok(None) => return (lines, true),
            Err(_) => return (lines, false),
        }
    }
}

fn path(sent: &Sent) -> &str {
    sent.uri.strip_prefix("https://bucket.s3.eu-central-1.amazonaws.com/").unwrap()
}

#[tokio::test(start_paused = true)]
async fn opens_the_version_that_the_event_names() {
    for etag in ["e1", "\"e1\""] {
        let wire = Wire::new([object(vec![b"one\n".to_vec()])]);
        let object = open(&wire, Some(etag)).await.unwrap();
        assert_eq!(object.etag, "e1");
        let sent = wire.only();
        assert_eq!((sent.method.as_str(), sent.header("if-match")), ("GET", Some("\"e1\"")));
        assert_eq!(path(&sent), "chat/AllTraffic/2026/11/24/12/a%20b%2Bc.jsonl?x-id=GetObject");
    }
    let wire = Wire::new([object(vec![])]);
    open(&wire, None).await.unwrap();
    assert_eq!(wire.only().header("if-match"), None);
}

#[tokio::test(start_paused = true)]
async fn says_why_an_object_cannot_be_read() {
    let failed = |code: &str, status| {
        Unopened::Failed(Fault { operation: "GetObject", code: code.to_owned(), status })
    };
    let table = [
        (xml_error(404, "NoSuchKey"), Unopened::Gone),
        (xml_error(412, "PreconditionFailed"), Unopened::Superseded),
        (xml_error(403, "AccessDenied"), Unopened::Forbidden),
        (Reply::new(403, ""), Unopened::Forbidden),
        (xml_error(403, "InvalidObjectState"), failed("InvalidObjectState", Some(403))),
        (xml_error(500, "InternalError"), failed("InternalError", Some(500))),
        (xml_error(503, "SlowDown"), failed("SlowDown", Some(503))),
        (Reply::Reset, failed("connection", None)),
        (Reply::Silence, failed("timeout", None)),
        (object(vec![]).breaking_off(), failed("connection", None)),
    ];
    for (reply, unopened) in table {
        let refused = open(&Wire::new([reply]), Some("e1")).await.unwrap_err();
        assert_eq!(refused, unopened);
        assert!(!format!("{refused} {refused:?}").contains(SECRET));
    }
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_is_tried_again() {
    let wire = Wire::new([xml_error(503, "SlowDown"), Reply::Reset, object(vec![b"x".to_vec()])]);
    assert!(open(&wire, None).await.is_ok());
    assert_eq!(wire.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn reads_plain_text_however_it_is_cut() {
    let text = b"one\ntwo\nthree";
    for size in 1..=text.len() {
        let parts = text.chunks(size).map(<[u8]>::to_vec).collect();
        assert_eq!(read(object(parts)).await, (vec!["one".into(), "two".into(), "three".into()], true));
    }
    assert_eq!(read(object(vec![])).await, (vec![], true));
    // Neither a single byte nor half a magic number makes a gzip.
    assert_eq!(read(object(vec![b"x".to_vec()])).await, (vec!["x".into()], true));
    assert_eq!(read(object(vec![vec![0x1f], vec![b'y']])).await, (vec!["\u{1f}y".into()], true));
    assert_eq!(read(object(vec![vec![0x1f]])).await, (vec!["\u{1f}".into()], true));
}

#[tokio::test(start_paused = true)]
async fn reads_gzip_of_several_members_however_it_is_cut() {
    let body = [gzip("one\ntw"), gzip("o\nthree\n")].concat();
    for size in [1, 2, 3, 7, body.len()] {
        let parts = body.chunks(size).map(<[u8]>::to_vec).collect();
        let lines = vec!["one".into(), "two".into(), "three".into()];
        assert_eq!(read(object(parts)).await, (lines, true), "parts of {size}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_early_is_no_end() {
    let body = gzip(&"a line that compresses\n".repeat(100_000));
    let (lines, is_at_end) = read(object(vec![body[..body.len() / 2].to_vec()])).await;
    assert!(!is_at_end && lines.iter().all(|line| line == "a line that compresses"));
    let lines = vec!["one".to_owned()];
    assert_eq!(read(object(vec![b"one\nhal".to_vec()]).breaking_off()).await, (lines, false));
    assert_eq!(read(object(vec![vec![0x1f, 0x8b], b"no gzip".to_vec()])).await, (vec![], false));
}

#[tokio::test(start_paused = true)]
async fn an_etag_is_taken_without_its_marks() {
    for (etag, bare) in [("\"e1\"", "e1"), ("W/\"e1-2\"", "e1-2"), ("e1", "e1")] {
        let wire = Wire::new([Reply::new(200, "x").header("etag", etag)]);
        assert_eq!(open(&wire, None).await.unwrap().etag, bare);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_a_verdict_file() {
    let wire = Wire::new([Reply::new(200, "")]);
    let captures = Captures::new(&wire.config());
    let lines = "{\"a\":1}\n{\"a\":2}\n";
    captures.put_verdicts("bucket", "verdicts/dt=2026-11-24/x-0.jsonl", lines.to_owned()).await.unwrap();
    let sent = wire.only();
    assert_eq!((sent.method.as_str(), sent.text().as_str()), ("PUT", lines));
    assert_eq!(path(&sent), "verdicts/dt%3D2026-11-24/x-0.jsonl?x-id=PutObject");
    assert_eq!(sent.header("content-type"), Some("application/x-ndjson"));

    let wire = Wire::new([xml_error(403, "AccessDenied")]);
    let fault = Captures::new(&wire.config()).put_verdicts("bucket", "k", String::new()).await.unwrap_err();
    assert_eq!(fault.to_string(), "PutObject failed: AccessDenied (HTTP 403)");
}
