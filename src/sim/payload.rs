//! Bodies of records and messages: kept as sent, or as a template and a seed until somebody reads them.

use bytes::Bytes;
use md5::{Digest, Md5};
use std::collections::BTreeMap;

/// A body. What a client sends is kept as sent; what an actor makes is a template and a seed (16 bytes, not 6 kB).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    Sent(Bytes),
    Made { template: TemplateId, seed: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateId(pub u32);

/// A body's pattern, from a scenario: `{"order":"{uuid}","room_type":"{pick:single|double}","nights":{int:1-9}}`.
#[derive(Clone, Debug)]
pub struct Template {
    pub name: String,
    /// Text with placeholders `{uuid}`, `{int:LOW-HIGH}`, `{pick:a|b|c}`, `{key}` (the record's key or the message's
    /// group). Any other text in braces stands for itself.
    pub text: String,
    /// The body is padded to this many bytes (AWS counts UTF-8 bytes); `None` leaves its own length, estimated by
    /// rendering seed 0.
    pub bytes: Option<u32>,
}

/// All templates of a world. Ids are indices and are never taken back.
#[derive(Default, Debug)]
pub struct Templates {
    all: Vec<Template>,
    lengths: Vec<usize>,
    /// Of templates whose body is an aggregate: which template's records, and how many.
    aggregates: BTreeMap<TemplateId, (TemplateId, u32)>,
}

impl Templates {
    pub fn add(&mut self, template: Template) -> TemplateId {
        let length = render(&template, 0, "").len();
        self.all.push(template);
        self.lengths.push(length);
        TemplateId(self.all.len() as u32 - 1)
    }

    /// The newest template of this name.
    pub fn named(&self, name: &str) -> Option<TemplateId> {
        self.all.iter().rposition(|template| template.name == name).map(|index| TemplateId(index as u32))
    }

    /// A template whose body holds `records` bodies of another, as AWS's producer library aggregates them.
    pub fn add_aggregate(&mut self, of: TemplateId, records: u32) -> TemplateId {
        let template = Template { name: String::new(), ..self.get(of).clone() };
        let length = aggregate(&template, records, 0, "").len();
        self.all.push(template);
        self.lengths.push(length);
        let id = TemplateId(self.all.len() as u32 - 1);
        self.aggregates.insert(id, (of, records));
        id
    }

    /// Records of the application in one body.
    pub fn records_in(&self, id: TemplateId) -> u32 {
        self.aggregates.get(&id).map_or(1, |(_, records)| *records)
    }

    pub fn get(&self, id: TemplateId) -> &Template {
        &self.all[id.0 as usize]
    }

    /// Bytes of the body. For a made body this is its template's length, which padding makes exact.
    pub fn len_of(&self, payload: &Payload) -> usize {
        match payload {
            Payload::Sent(bytes) => bytes.len(),
            Payload::Made { template, .. } => self.lengths[template.0 as usize],
        }
    }

    /// The body's bytes; `key` fills the `{key}` placeholder.
    pub fn read(&self, payload: &Payload, key: &str) -> Bytes {
        match payload {
            Payload::Sent(bytes) => bytes.clone(),
            Payload::Made { template, seed } => match self.aggregates.get(template) {
                Some((of, records)) => Bytes::from(aggregate(self.get(*of), *records, *seed, key)),
                None => Bytes::from(render(self.get(*template), *seed, key)),
            },
        }
    }

    /// Whether the body holds `needle`. For a made body only the template's fixed text is looked at, so the answer
    /// is the same for every seed and costs no rendering.
    pub fn contains(&self, payload: &Payload, needle: &str) -> bool {
        match payload {
            Payload::Sent(bytes) => {
                !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
            }
            Payload::Made { template, .. } => self.get(*template).text.contains(needle),
        }
    }
}

fn render(template: &Template, seed: u64, key: &str) -> String {
    let mut out = String::with_capacity(template.text.len() + 64);
    let mut state = seed;
    let mut rest = template.text.as_str();
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let tail = &rest[open..];
        match tail.find('}').and_then(|close| fill(&tail[1..close], &mut state, key).map(|text| (close, text))) {
            Some((close, text)) => {
                out.push_str(&text);
                rest = &tail[close + 1..];
            }
            None => {
                out.push('{');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    pad(&mut out, template.bytes);
    out
}

/// The producer library's aggregated record: a magic number, a protocol buffer with a table of partition keys and the
/// records, and the buffer's MD5. Source: amazon-kinesis-producer, "KPL Aggregated Record Format".
fn aggregate(template: &Template, records: u32, seed: u64, key: &str) -> Vec<u8> {
    let mut message = Vec::new();
    put_field(&mut message, PARTITION_KEY_TABLE, key.as_bytes());
    let mut state = seed;
    for _ in 0..records {
        let body = render(template, next(&mut state), key);
        // The index into the table of keys, which has one.
        let mut record = vec![PARTITION_KEY_INDEX, 0];
        put_field(&mut record, DATA, body.as_bytes());
        put_field(&mut message, RECORDS, &record);
    }
    [&AGGREGATE_MAGIC[..], &message[..], &Md5::digest(&message)[..]].concat()
}

const AGGREGATE_MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
/// Tags of the protocol buffer: field number and wire type.
const PARTITION_KEY_TABLE: u8 = 1 << 3 | 2;
const RECORDS: u8 = 3 << 3 | 2;
const PARTITION_KEY_INDEX: u8 = 1 << 3;
const DATA: u8 = 3 << 3 | 2;

/// A field of bytes: its tag, their number as a varint, and they.
fn put_field(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    out.push(tag);
    let mut rest = bytes.len();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out.extend_from_slice(bytes);
}

/// Pads inside a closing brace where there is one, so that a JSON body stays JSON.
fn pad(out: &mut String, bytes: Option<u32>) {
    let missing = (bytes.unwrap_or(0) as usize).saturating_sub(out.len());
    let frame = r#","padding":"""#.len();
    if missing > frame && out.ends_with('}') {
        out.pop();
        out.push_str(r#","padding":""#);
        out.extend(std::iter::repeat_n('.', missing - frame));
        out.push_str("\"}");
    } else {
        out.extend(std::iter::repeat_n(' ', missing));
    }
}

fn fill(placeholder: &str, state: &mut u64, key: &str) -> Option<String> {
    if placeholder == "key" {
        return Some(key.to_owned());
    }
    if placeholder == "uuid" {
        let (a, b) = (next(state), next(state));
        return Some(uuid_text(a, b));
    }
    if let Some(range) = placeholder.strip_prefix("int:") {
        let (low, high) = range.split_once('-')?;
        let (low, high): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
        return Some((low + next(state) % (high.checked_sub(low)? + 1)).to_string());
    }
    let choices: Vec<&str> = placeholder.strip_prefix("pick:")?.split('|').collect();
    Some(choices[(next(state) % choices.len() as u64) as usize].to_owned())
}

/// SplitMix64: one step. Small, seedable, and good enough to fill bodies.
pub fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A version-4 UUID's text from 128 random bits.
pub fn uuid_text(a: u64, b: u64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let (a, b) = ((a & !0xf000) | 0x4000, (b & !(0b11 << 62)) | (0b10 << 62));
    let bits = (u128::from(a) << 64) | u128::from(b);
    let mut text = String::with_capacity(36);
    for digit in 0..32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let value = (bits >> (124 - 4 * digit)) as usize & 15;
        text.push(char::from(DIGITS[value]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Template {
        let text = r#"{"order":"{uuid}","hotel":"{key}","nights":{int:1-9},"room":"{pick:single|double}"}"#;
        Template { name: "order".into(), text: text.into(), bytes: Some(300) }
    }

    #[test]
    fn a_made_body_is_json_of_the_stated_length_and_a_function_of_its_seed() {
        let mut templates = Templates::default();
        let id = templates.add(order());
        let payload = Payload::Made { template: id, seed: 7 };
        let body = templates.read(&payload, "hotel-1");
        assert_eq!(body, templates.read(&payload, "hotel-1"));
        assert_ne!(body, templates.read(&Payload::Made { template: id, seed: 8 }, "hotel-1"));
        assert_eq!(body.len(), templates.len_of(&payload));
        assert_eq!(body.len(), 300);
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["hotel"], "hotel-1");
        assert!((1..=9).contains(&json["nights"].as_u64().unwrap()));
    }

    #[test]
    fn an_aggregate_has_the_form_of_the_producer_library() {
        let mut templates = Templates::default();
        let plain = templates.add(order());
        let id = templates.add_aggregate(plain, 3);
        assert_eq!((templates.records_in(plain), templates.records_in(id)), (1, 3));
        assert_eq!(templates.named("order"), Some(plain));
        let payload = Payload::Made { template: id, seed: 7 };
        let body = templates.read(&payload, "");
        assert_eq!(body.len(), templates.len_of(&payload));
        assert_eq!(body[..4], AGGREGATE_MAGIC);
        let (message, digest) = body[4..].split_at(body.len() - 20);
        assert_eq!(digest, &Md5::digest(message)[..]);
        let mut state = 7;
        for _ in 0..3 {
            let one = render(&order(), next(&mut state), "");
            assert_eq!(message.windows(one.len()).filter(|window| *window == one.as_bytes()).count(), 1);
        }
    }

    #[test]
    fn contains_looks_at_sent_bytes_and_at_the_templates_text() {
        let mut templates = Templates::default();
        let id = templates.add(order());
        assert!(templates.contains(&Payload::Made { template: id, seed: 1 }, "\"hotel\""));
        assert!(!templates.contains(&Payload::Made { template: id, seed: 1 }, "gift"));
        assert!(templates.contains(&Payload::Sent(Bytes::from_static(b"a gift")), "gift"));
    }
}
