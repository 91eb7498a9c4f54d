//! The sample captures, captures from the wild, and whatever proptest comes up with.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::fleet::Fleet;

const HOSTILE: &[u8] = include_bytes!("../../../../events/captures/hostile.jsonl");

/// What the samples need to be attributed: see `events/captures/README.md`.
const FLEET: &str = r#"
    [[endpoint]]
    name = "support-chat"
    components = ["gpt-oss-20b", "qwen-7b"]
    models = { "openai/gpt-oss-20b" = "gpt-oss-20b" }
"#;

fn lines(file: &[u8]) -> Vec<&[u8]> {
    file.split(|byte| *byte == b'\n').filter(|line| !is_blank(line)).collect()
}

fn decoded(line: &[u8]) -> Result<Vec<(Option<String>, String)>, SkipReason> {
    let record = CaptureRecord::parse(line)?;
    let conversation = record.decode()?;
    let shown = |exchange: &Exchange<'_>| {
        let asked = exchange.turns.last().map(|turn| turn.text.to_string());
        (asked, exchange.answer_text().to_owned())
    };
    Ok(conversation.exchanges.iter().map(shown).collect())
}

#[test]
fn every_sample_decodes_and_is_attributed() {
    let fleet = Fleet::from_toml("fleet.toml", FLEET).unwrap();
    let endpoint = "support-chat".parse().unwrap();
    let mut count = 0;
    for (file, component, by) in [
        (
            include_bytes!("../../../../events/captures/gpt-oss-20b.custom-attributes.jsonl").as_slice(),
            "gpt-oss-20b",
            "custom_attributes",
        ),
        (
            include_bytes!("../../../../events/captures/gpt-oss-20b.findings.jsonl"),
            "gpt-oss-20b",
            "custom_attributes",
        ),
        (include_bytes!("../../../../events/captures/gpt-oss-20b.model.jsonl"), "gpt-oss-20b", "model"),
        (include_bytes!("../../../../events/captures/qwen-7b.inference-id.jsonl"), "qwen-7b", "inference_id"),
        (include_bytes!("../../../../events/captures/qwen-7b.findings.jsonl"), "qwen-7b", "inference_id"),
    ] {
        for line in lines(file) {
            let record = CaptureRecord::parse(line).unwrap();
            let conversation =
                record.decode().unwrap_or_else(|reason| panic!("{}: {reason}", record.event_id));
            let got = fleet.attribute(&endpoint, "k", &record, conversation.model.as_deref());
            assert_eq!((got.component.as_str(), got.by.as_str()), (component, by), "{}", record.event_id);
            count += conversation.exchanges.len();
        }
    }
    assert_eq!(count, 51, "a batch of three among 49 records");
}

#[test]
fn every_hostile_line_is_named() {
    use SkipReason::{
        BatchMismatch, InvalidBase64, InvalidInferenceTime, InvalidJson, InvalidPayload, InvalidUtf8,
        MissingEventId, MissingInferenceTime, NoInput, NoOutput, NoOutputText, NotACapture,
        NotTextGeneration, TruncatedLine, UnknownEncoding,
    };
    let expected = [
        None,
        Some(TruncatedLine),
        Some(InvalidUtf8),
        Some(InvalidJson),
        Some(NotACapture),
        Some(UnknownEncoding),
        Some(InvalidBase64),
        Some(MissingEventId),
        Some(MissingInferenceTime),
        Some(InvalidInferenceTime),
        Some(NotTextGeneration),
        Some(NoOutput),
        Some(NoInput),
        Some(NoOutputText),
        Some(InvalidPayload),
        Some(BatchMismatch),
        Some(NotTextGeneration),
        Some(NotACapture),
    ];
    let got: Vec<Option<SkipReason>> = lines(HOSTILE).into_iter().map(|line| decoded(line).err()).collect();
    assert_eq!(got, expected);
}

/// Records found in public repositories; they stay outside this one, for their licences.
#[test]
fn captures_from_the_wild_give_what_a_reader_sees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/capture");
    let Ok(entries) = fs::read_dir(&folder) else {
        println!("skipped: ../shared not here, so captures from the wild were not read");
        return;
    };
    let mut seen = Vec::new();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|it| it == "jsonl")) {
        let file = fs::read(path).unwrap();
        for line in lines(&file) {
            let record = CaptureRecord::parse(line).unwrap();
            assert_eq!(record.event_id.len(), 36);
            seen.push((record.custom_attributes.len(), decoded(line)));
        }
    }
    let expected = [
        ("When does machine learning performce below bar?", " When does it perform better than human"),
        ("Explain the difference between supervised and unsupervised learning.", " Exp"),
        ("", " "),
        ("What is machine learning?", " What is the difference between a machine"),
        ("Explain cybersecurity in simple terms", ". What are the main threats"),
        ("What is a SIEM?", " What is a SIEM? What is a SIEM?"),
        ("List 5 types of malware", " that can be used to compromise"),
    ];
    for ((_, got), (question, start)) in seen.iter().zip(expected) {
        let (asked, answer) = got.as_ref().unwrap().first().unwrap();
        assert!(question.is_empty() || asked.as_deref() == Some(question), "{asked:?}");
        assert!(answer.starts_with(start), "{answer}");
    }
    let rest: Vec<_> =
        seen[expected.len()..].iter().map(|(count, got)| (*count, got.clone().err())).collect();
    let not_text = Some(SkipReason::NotTextGeneration);
    assert_eq!(rest, [(0, not_text), (1, not_text), (0, Some(SkipReason::NoOutputText))]);

    let keys = fs::read_to_string(folder.join("02_cribl_s3_keys.txt")).unwrap();
    for key in keys.lines() {
        let key = CaptureKey::parse(key).unwrap();
        assert_eq!(key.endpoint.as_str(), "jumpstart-dft-llama-3-2-1b-instruct-20260107-211937");
        assert_eq!(
            (key.variant.as_str(), key.hour.to_string().as_str()),
            ("AllTraffic", "2026-01-07T22:00:00Z")
        );
    }
}

/// One record around two bodies, written by serde as a capture writer would.
fn line(input: &str, output: &str) -> String {
    let side =
        |data: &str| serde_json::json!({"observedContentType": null, "data": data, "encoding": "JSON"});
    serde_json::json!({
        "captureData": {"endpointInput": side(input), "endpointOutput": side(output)},
        "eventMetadata": {"eventId": "e-1", "inferenceTime": "2026-01-01T00:00:00Z"},
    })
    .to_string()
}

/// The field may stand first or last: that depends on who else is in the build.
fn without_encoding(line: &str) -> String {
    line.replace(r#","encoding":"JSON""#, "").replace(r#""encoding":"JSON","#, "")
}

#[test]
fn line_ends_byte_order_marks_and_bare_data_are_tolerated() {
    let plain = line("{\"inputs\":\"q\"}\n", "\u{feff}{\"generated_text\":\"a\"}\r\n");
    for line in [plain.clone(), format!("{plain}\r\n"), format!("\u{feff}{plain}\n"), format!("  {plain}")] {
        assert_eq!(decoded(line.as_bytes()), Ok(vec![(Some("q".to_owned()), "a".to_owned())]), "{line}");
        let bare = without_encoding(&line);
        assert_eq!(decoded(bare.as_bytes()), decoded(plain.as_bytes()), "no encoding, and no BASE64: {bare}");
    }
    for blank in ["", "\n", " \t\r\n", "\u{feff}\n"] {
        assert!(is_blank(blank.as_bytes()));
        assert_eq!(CaptureRecord::parse(blank.as_bytes()).unwrap_err(), SkipReason::InvalidJson);
    }
}

#[test]
fn bodies_in_base64_need_not_be_padded_or_named() {
    // {"inputs":"q"} and {"generated_text":"ab"}
    let bodies = ("eyJpbnB1dHMiOiJxIn0=", "eyJnZW5lcmF0ZWRfdGV4dCI6ImFiIn0");
    let json = line(bodies.0, bodies.1);
    for line in [json.replace("JSON", "BASE64"), without_encoding(&json)] {
        assert_eq!(decoded(line.as_bytes()), Ok(vec![(Some("q".to_owned()), "ab".to_owned())]), "{line}");
    }
    let image = line("/9j/4AAQSkZJRg==", "{}").replace("JSON", "base64");
    assert_eq!(decoded(image.as_bytes()), Err(SkipReason::NotTextGeneration));
}

#[test]
fn half_characters_do_not_cost_the_record() {
    let line = line(r#"{"inputs":"\udc00?"}"#, r#"{"generated_text":"a\ud83d \ud83d\ude00"}"#);
    assert_eq!(decoded(line.as_bytes()), Ok(vec![(Some("\u{fffd}?".to_owned()), "a\u{fffd} 😀".to_owned())]));
}

#[test]
fn debug_output_tells_no_body() {
    let line = line("{\"inputs\":\"secret question\"}", "{\"generated_text\":\"secret answer\"}");
    let shown = format!("{:?}", CaptureRecord::parse(line.as_bytes()).unwrap());
    assert!(!shown.contains("secret") && shown.contains("Ok(28)"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decoded(&bytes);
    }

    /// Cut, spliced and flipped records reach further than noise.
    #[test]
    fn no_damaged_record_panics(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut: bool) {
        let lines = lines(HOSTILE);
        let mut line = which.get(&lines).to_vec();
        let at = at.index(line.len());
        line[at] = byte;
        if cut {
            line.truncate(at);
        }
        let _ = decoded(&line);
    }

    #[test]
    fn no_bodies_panic(input in r#"[\[\]{}":, \\a-z0-9]{0,60}"#, output in r#"(data:|\{"generated_text":|[\[\]{}":, \\a-z0-9\n]){0,40}"#) {
        let _ = decoded(line(&input, &output).as_bytes());
        let _ = decoded(line(r#"{"inputs":"q"}"#, &output).as_bytes());
    }

    #[test]
    fn every_shape_gives_its_texts_back(question in "[^<?!]{1,80}", answer in "[^<?!]{1,80}") {
        let (q, a) = (serde_json::json!(question), serde_json::json!(answer));
        let request = |shape: &str| shape.replace('?', &q.to_string());
        let reply = |shape: &str| shape.replace('!', &a.to_string());
        for input in [r#"{"inputs":?,"parameters":{"return_full_text":false}}"#, r#"{"messages":[{"role":"user","content":?}]}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":?}]}]}"#, r#"{"prompt":?,"echo":false}"#] {
            for output in [r#"{"generated_text":!}"#, r#"[{"generated_text":!}]"#, r#"{"outputs":[!]}"#,
                r#"{"choices":[{"message":{"role":"assistant","content":!}}]}"#, r#"{"choices":[{"text":!}]}"#,
                "{\"token\":{\"text\":!}}\n{\"token\":{\"text\":\"\"}}",
                "data: {\"choices\":[{\"delta\":{\"content\":!}}]}\n\ndata: [DONE]\n\n"] {
                let line = line(&request(input), &reply(output));
                let expected = vec![(Some(question.clone()), answer.clone())];
                prop_assert_eq!(decoded(line.as_bytes()), Ok(expected), "{} {}", input, output);
            }
        }
    }
}
