//! `local invoke`: sends an event file to a deployed function and shows what it answers.
//! `events/README.md` says what is done to the event first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Write as _, stdout};

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::clients::Clients;
use crate::environment::{Endpoints, Environment};
use crate::failure::{During, Failure, Outcome};
use crate::progress::Step;
use crate::project;
use crate::samples::{EXAMPLE_BUCKET, Sample};
use crate::stack;
use crate::stand_in::Options;

/// Invokes `function` with the event in `file`. Uses the environment that is up, or starts one for
/// this call.
pub async fn invoke(function: &str, file: &str) -> Outcome<()> {
    check(function, file)?;
    let mut started = None;
    let endpoints = if let Some(endpoints) = Endpoints::of_running().await {
        endpoints
    } else {
        say("No environment is up (`make local` keeps one); starting one for this call.\n")?;
        let environment = Environment::start(Options::default(), &[]).await?;
        started.insert(environment).endpoints()
    };
    let answer = answer(&endpoints, function, file).await;
    drop(started);
    say(&format!("{:#}\n", answer?))
}

/// What `function` of the environment at `endpoints` answers to the event in `file`, of which
/// everything is made true first.
async fn answer(endpoints: &Endpoints, function: &str, file: &str) -> Outcome<Value> {
    let text = fs::read_to_string(project::root().join(file)).during(format!("read {file}"))?;
    let clients = Clients::of(&endpoints.aws_endpoint_url).await;
    let bucket = endpoints.output("CaptureBucketName")?;
    let text = text.replace(EXAMPLE_BUCKET, bucket);
    let mut event: Value = serde_json::from_str(&text).during(format!("read {file} as JSON"))?;
    let mut etags = BTreeMap::new();
    each_object(&mut event, &mut |object| {
        etags.insert(object.key(), None);
    });
    for (key, known) in &mut etags {
        *known = provide(&clients, bucket, key).await?;
    }
    each_object(&mut event, &mut |mut object| {
        if let Some(Some(etag)) = etags.get(&object.key()) {
            object.set_etag(etag);
        }
    });
    stack::invoke(&clients, function, &event).await
}

fn check(function: &str, file: &str) -> Outcome<()> {
    let names = project::functions().during("list the functions")?;
    if !names.iter().any(|name| name == function) {
        return Err(Failure(format!("FUNCTION={function} is none of: {}", names.join(", "))));
    }
    if file.is_empty() || !project::root().join(file).is_file() {
        return Err(Failure(format!("EVENT={file} is no file; events/README.md lists the samples")));
    }
    Ok(())
}

/// Uploads the sample that a key names, if it is one and is not there yet. Returns the object's
/// ETag, if there is an object.
async fn provide(clients: &Clients, bucket: &str, key: &str) -> Outcome<Option<String>> {
    let found = etag(clients, bucket, key).await;
    let Some(sample) = Sample::of_key(key).filter(|_| found.is_none()) else { return Ok(found) };
    let step = Step::start(format!("upload {}", sample.file));
    sample.upload(clients, bucket, key, Timestamp::now()).await?;
    step.done(format!("s3://{bucket}/{key}"));
    Ok(etag(clients, bucket, key).await)
}

async fn etag(clients: &Clients, bucket: &str, key: &str) -> Option<String> {
    let head = clients.s3.head_object().bucket(bucket).key(key).send().await.ok()?;
    head.e_tag().map(|etag| etag.trim_matches('"').to_owned())
}

/// The `object` of an S3 notification or of an EventBridge event.
struct Object<'a> {
    fields: &'a mut Map<String, Value>,
    etag: &'static str,
}

impl Object<'_> {
    /// Its key, decoded: a notification's is form-encoded, EventBridge's is plain.
    fn key(&self) -> String {
        let key = self.fields.get("key").and_then(Value::as_str).unwrap_or_default();
        if self.etag == "etag" {
            return key.to_owned();
        }
        percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
    }

    fn set_etag(&mut self, etag: &str) {
        self.fields.insert(self.etag.to_owned(), Value::from(etag));
    }
}

/// Visits every object that an event is about, also those in the bodies of queue messages.
fn each_object(event: &mut Value, visit: &mut dyn FnMut(Object<'_>)) {
    match event {
        Value::Object(fields) => {
            let etag = ["eTag", "etag"].into_iter().find(|name| fields.contains_key(*name));
            if let Some(etag) = etag.filter(|_| fields.contains_key("key")) {
                visit(Object { fields, etag });
            }
            for (name, value) in fields {
                each_in_body(name, value, visit);
                each_object(value, visit);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, visit)),
        _ => {}
    }
}

fn each_in_body(name: &str, value: &mut Value, visit: &mut dyn FnMut(Object<'_>)) {
    let Some(mut body) =
        value.as_str().filter(|_| name == "body").and_then(|text| serde_json::from_str(text).ok())
    else {
        return;
    };
    each_object(&mut body, visit);
    *value = Value::String(body.to_string());
}

fn say(text: &str) -> Outcome<()> {
    stdout().write_all(text.as_bytes()).during("write to standard output")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_objects_of_every_sample_event() {
        let keys = |name: &str| {
            let path = project::root().join("events").join(format!("quality-judge.{name}.json"));
            let mut event = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let mut keys = Vec::new();
            each_object(&mut event, &mut |object| keys.push(object.key()));
            keys
        };
        for (name, count) in
            [("s3-put", 1), ("eventbridge-object-created", 1), ("sqs-batch", 2), ("s3-test-event", 0)]
        {
            let keys = keys(name);
            assert_eq!(keys.len(), count, "{name}");
            assert!(keys.iter().all(|key| Sample::of_key(key).is_some()), "{keys:?}");
        }
    }

    #[test]
    fn an_etag_reaches_into_a_message_body() {
        let body = json!({"detail": {"object": {"key": "a+b", "etag": "old"}}}).to_string();
        let mut event = json!({"Records": [{"body": body}]});
        each_object(&mut event, &mut |mut object| {
            assert_eq!(object.key(), "a+b");
            object.set_etag("new");
        });
        assert!(event["Records"][0]["body"].as_str().unwrap().contains(r#""etag":"new""#));
    }
}
