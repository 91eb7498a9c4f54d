//! Scripted replies: what a stand-in is told to answer instead of its own answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Reply};

/// One entry of `POST /_replies`. Entries are tried in the order in which they came; the first
/// that matches answers, until it is used up.
///
/// ```json
/// {"match": {"path": "/model/", "contains": "some text"}, "status": 429,
///  "headers": {"x-amzn-errortype": "ThrottlingException"}, "body": {"message": "slow down"}, "times": 2}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scripted {
    /// Which calls it is for; all of them when it is left out.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// The status code.
    #[serde(default = "ok")]
    pub status: u16,
    /// Headers; `content-type` is `application/json` when it is left out.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A text is sent as it is, any other JSON value as JSON. Left out: the stand-in's own answer
    /// (to delay it, say).
    #[serde(default)]
    pub body: Option<Value>,
    /// How long to wait before the answer.
    #[serde(default)]
    pub delay_ms: u64,
    /// For how many calls; left out: for all that follow.
    #[serde(default)]
    pub times: Option<u64>,
    /// Close the connection (after the delay) and answer nothing.
    #[serde(default)]
    pub drop_connection: bool,
}

/// Which calls a scripted reply is for: all conditions that are given must hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// The stand-in, such as `bedrock`.
    pub stand_in: Option<String>,
    /// `POST` ...
    pub method: Option<String>,
    /// What the path starts with.
    pub path: Option<String>,
    /// What the body contains.
    pub contains: Option<String>,
}

/// Reads the body of `POST /_replies`: one entry or a list of them.
pub(super) fn read(body: &[u8]) -> Result<Vec<Scripted>, serde_json::Error> {
    match serde_json::from_slice(body)? {
        Value::Array(entries) => entries.into_iter().map(serde_json::from_value).collect(),
        entry => serde_json::from_value(entry).map(|entry| vec![entry]),
    }
}

/// What the script says about one call.
#[derive(Debug)]
pub(super) enum Cue {
    /// Answer this.
    Say(Reply),
    /// Answer as ever, but only after this time.
    Wait(Duration),
    /// Close the connection after this time.
    Drop(Duration),
}

#[derive(Debug, Default)]
pub(super) struct Script {
    entries: Vec<Scripted>,
}

impl Script {
    pub(super) fn add(&mut self, entries: Vec<Scripted>) {
        self.entries.extend(entries.into_iter().filter(|entry| entry.times != Some(0)));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(super) fn entries(&self) -> &[Scripted] {
        &self.entries
    }

    /// The cue for a call, which uses up one of its times.
    pub(super) fn cue(&mut self, stand_in: &str, call: &Call) -> Option<Cue> {
        let position = self.entries.iter().position(|entry| entry.matching.covers(stand_in, call))?;
        let entry = &mut self.entries[position];
        let cue = entry.cue();
        if let Some(times) = &mut entry.times {
            *times -= 1;
            if *times == 0 {
                self.entries.remove(position);
            }
        }
        Some(cue)
    }
}

impl Match {
    fn covers(&self, stand_in: &str, call: &Call) -> bool {
        self.stand_in.as_ref().is_none_or(|name| name == stand_in)
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(call.method.as_str()))
            && self.path.as_ref().is_none_or(|prefix| call.path.starts_with(prefix))
            && self.contains.as_ref().is_none_or(|part| call.body.contains(part))
    }
}

impl Scripted {
    fn cue(&self) -> Cue {
        let delay = Duration::from_millis(self.delay_ms);
        if self.drop_connection {
            return Cue::Drop(delay);
        }
        let Some(body) = &self.body else {
            if self.status == ok() && self.headers.is_empty() {
                return Cue::Wait(delay);
            }
            return Cue::Say(self.reply(String::new(), delay));
        };
        let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        Cue::Say(self.reply(body, delay))
    }

    fn reply(&self, body: String, delay: Duration) -> Reply {
        let mut headers: Vec<(String, String)> = self.headers.clone().into_iter().collect();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Reply { status: self.status, headers, body, delay }
    }
}

fn ok() -> u16 {
    200
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::*;

    fn call(body: &str) -> Call {
        Call {
            method: Method::POST,
            path: "/model/m/converse".to_owned(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: body.to_owned(),
        }
    }

    #[test]
    fn an_entry_answers_the_calls_it_matches_until_it_is_used_up() {
        let mut script = Script::default();
        let entries = r#"[{"match": {"path": "/model/", "contains": "cat"}, "status": 429, "times": 1},
                          {"body": "garbage"}]"#;
        script.add(read(entries.as_bytes()).unwrap());
        let status = |cue| match cue {
            Some(Cue::Say(reply)) => (reply.status, reply.body),
            other => panic!("{other:?}"),
        };
        assert_eq!(status(script.cue("bedrock", &call("a dog"))), (200, "garbage".to_owned()));
        assert_eq!(status(script.cue("bedrock", &call("a cat"))), (429, String::new()));
        assert_eq!(status(script.cue("bedrock", &call("a cat"))), (200, "garbage".to_owned()));
    }

    #[test]
    fn a_delay_alone_leaves_the_answer_to_the_stand_in() {
        let mut script = Script::default();
        script.add(read(br#"{"delay_ms": 5}"#).unwrap());
        assert!(matches!(script.cue("bedrock", &call("")), Some(Cue::Wait(_))));
    }
}
