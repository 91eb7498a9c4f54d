//! A sample event, made true for the environment that it is sent into: `events/README.md` says how.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::clients::Clients;
use crate::failure::{During, Outcome};
use crate::progress::Step;
use crate::project;
use crate::samples::{EXAMPLE_BUCKET, Sample};

/// The event in `file`, about objects that are in `bucket`.
pub(super) async fn made_true(clients: &Clients, bucket: &str, file: &str) -> Outcome<Value> {
    let text = fs::read_to_string(project::root().join(file)).during(format!("read {file}"))?;
    let text = text.replace(EXAMPLE_BUCKET, bucket);
    let mut event: Value = serde_json::from_str(&text).during(format!("read {file} as JSON"))?;
    let mut etags = BTreeMap::new();
    each_object(&mut event, &mut |object| {
        etags.insert(object.key(), None);
    });
    for (key, known) in &mut etags {
        *known = provide(clients, bucket, key).await?;
    }
    each_object(&mut event, &mut |mut object| {
        if let Some(Some(etag)) = etags.get(&object.key()) {
            object.set_etag(etag);
        }
    });
    Ok(event)
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
