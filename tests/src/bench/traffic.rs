//! Made-up captured traffic: support chats of 1 to 4 KB a record, two thirds in the `OpenAI` chat
//! form and one third in the form of LMI containers. The same bytes on every run, but for the time.

use std::fmt::Write as _;

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Records of a large object that lie in memory; it repeats them under other event ids.
const BLOCK_RECORDS: usize = 1000;

const COMPONENTS: [&str; 3] = ["gpt-oss-20b", "qwen-7b", "llama-8b"];

const QUESTIONS: [&str; 6] = [
    "Hi, my order LH-48213 was due yesterday and still says 'in transit'. What can I do?",
    "How long do I have to send back a floor lamp that I don't like?",
    "Ich habe die falsche Größe bestellt – kann ich das Regal noch umtauschen?",
    "Can you write me a short e-mail to your warehouse?\nMention the \"fragile\" sticker, please.",
    "Compare the oak and the walnut desk in a table with price, width and weight.",
    "My lamp flickers. I tried another bulb and another socket. Is that covered by the warranty?",
];

const SENTENCES: [&str; 12] = [
    "I'm sorry that your order is late; parcels are sometimes scanned only when they reach the depot. ",
    "You can return the lamp free of charge within 30 days of delivery. ",
    "Please pack it in its original box if you still have it, and print the label from \"My orders\". ",
    "As soon as it reaches our warehouse we will check it and confirm the refund by e-mail.\n\n",
    "| desk | price | width |\n|---|---|---|\n| oak | 349.00 EUR | 140 cm |\n| walnut | 419.00 EUR | 160 cm |\n",
    "Ja, ein Umtausch ist möglich: die neue Größe schicken wir Ihnen kostenlos zu. ",
    "1. Open **Settings**.\n2. Choose *Orders*.\n3. Click `Return an item`.\n",
    "The warranty covers the electronics for two years, but neither bulbs nor scratches. ",
    "If it still shows no movement by tomorrow, reply here and I will open an enquiry with the carrier. ",
    "Standard delivery takes 3 to 5 working days, express delivery 1 working day for 9.90 EUR. ",
    "For a desk of this weight two people should carry it up the stairs; we can send them along. ",
    "Let me know whether I should go ahead, and at which address you can be reached. ",
];

const SYSTEM: &str = "You are the support assistant of Larkspur Home, an online shop for furniture and lamps. \
    Answer in at most five sentences and in a friendly, professional tone. Returns are free within 30 days \
    of delivery. The warranty is two years. Never promise a refund amount, and never name internal codes.";

/// An object of captured traffic of any size.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    block: Vec<u8>,
    /// Where in the block a record's event id holds the number of the repetition.
    numbers: Vec<usize>,
    /// How often the block is repeated.
    repeats: usize,
}

/// The digits of an event id that a repetition sets.
const DIGITS: usize = 12;

impl Traffic {
    /// `records` records.
    pub(super) fn of_records(records: usize, prefix: &str) -> Self {
        let mut block = String::new();
        let mut numbers = Vec::new();
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let now = Timestamp::now();
        for index in 0..records {
            let start = block.len();
            let event_id = format!("{prefix}{index:08x}-0000-4000-8000-{:0DIGITS$}", 0);
            let ago = i64::try_from(index * 600 / records).unwrap_or_default();
            let line = record(&mut dice, &event_id, now - SignedDuration::from_secs(ago));
            let at = line.find(&event_id).unwrap_or_default() + event_id.len() - DIGITS;
            numbers.push(start + at);
            block.push_str(&line);
            block.push('\n');
        }
        Self { block: block.into_bytes(), numbers, repeats: 1 }
    }

    /// At least `bytes` bytes.
    pub(super) fn of_bytes(bytes: usize, prefix: &str) -> Self {
        let mut traffic = Self::of_records(BLOCK_RECORDS, prefix);
        traffic.repeats = bytes.div_ceil(traffic.block.len());
        traffic
    }

    pub(super) fn records(&self) -> usize {
        self.numbers.len() * self.repeats
    }

    pub(super) fn bytes(&self) -> usize {
        self.block.len() * self.repeats
    }

    /// The object's bytes, block by block.
    pub(super) fn blocks(self) -> impl Iterator<Item = Bytes> {
        (0..self.repeats).map(move |repeat| {
            let mut block = self.block.clone();
            let number = format!("{repeat:0DIGITS$}");
            for at in &self.numbers {
                block[*at..*at + DIGITS].copy_from_slice(number.as_bytes());
            }
            Bytes::from(block)
        })
    }
}

fn record(dice: &mut Dice, event_id: &str, at: Timestamp) -> String {
    let component = COMPONENTS[dice.below(COMPONENTS.len())];
    let question = QUESTIONS[dice.below(QUESTIONS.len())];
    let mut answer = String::new();
    for _ in 0..3 + dice.below(18) {
        answer.push_str(SENTENCES[dice.below(SENTENCES.len())]);
        let _ = write!(answer, "(ref {}) ", dice.below(100_000));
    }
    let (input, output) =
        if dice.below(3) == 0 { lmi(question, &answer) } else { chat(dice, question, &answer) };
    let side = |mode: &str, data: &Value| json!({"observedContentType": "application/json", "mode": mode, "data": data.to_string(), "encoding": "JSON"});
    json!({
        "captureData": {"endpointInput": side("INPUT", &input), "endpointOutput": side("OUTPUT", &output)},
        "eventMetadata": {
            "eventId": event_id,
            "customAttributes": [format!("tenant=web;ic={component}")],
            "inferenceTime": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        "eventVersion": "0",
    })
    .to_string()
}

fn chat(dice: &mut Dice, question: &str, answer: &str) -> (Value, Value) {
    let mut messages = vec![json!({"role": "system", "content": SYSTEM})];
    if dice.below(4) == 0 {
        messages.push(json!({"role": "user", "content": QUESTIONS[dice.below(QUESTIONS.len())]}));
        messages.push(json!({"role": "assistant", "content": SENTENCES[dice.below(SENTENCES.len())]}));
    }
    messages.push(json!({"role": "user", "content": question}));
    let (prompt, completion) = (150 + dice.below(40), answer.len() / 4);
    let input =
        json!({"model": "openai/gpt-oss-20b", "messages": messages, "max_tokens": 512, "temperature": 0.3});
    let message = json!({"role": "assistant", "content": answer, "tool_calls": [], "refusal": null});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion});
    let output = json!({
        "id": format!("chatcmpl-{:016x}", dice.next()), "object": "chat.completion", "created": 1_795_510_800,
        "model": "openai/gpt-oss-20b", "choices": [choice], "usage": usage,
    });
    (input, output)
}

fn lmi(question: &str, answer: &str) -> (Value, Value) {
    let parameters = json!({"max_new_tokens": 512, "temperature": 0.3, "do_sample": true});
    let input =
        json!({"inputs": format!("{SYSTEM}\n\nUser: {question}\nAssistant:"), "parameters": parameters});
    (input, json!({"generated_text": answer}))
}

/// Numbers that look random and are the same on every run (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or_default() % bound
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn records_are_of_the_promised_size_and_none_is_twice() {
        let traffic = Traffic::of_bytes(4_000_000, "a");
        let (size, records) = (traffic.bytes(), traffic.records());
        let text: Vec<u8> = traffic.blocks().flatten().collect();
        assert_eq!(text.len(), size);
        let mut ids = BTreeSet::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            assert!((900..5000).contains(&line.len()), "{}", line.len());
            let record: Value = serde_json::from_slice(line).unwrap();
            ids.insert(record["eventMetadata"]["eventId"].as_str().unwrap().to_owned());
        }
        assert_eq!(ids.len(), records);
    }
}
