//! Input made to take long.

use super::*;

/// Beginnings, and what is repeated after them. The benchmark measures how the time that they take
/// grows with their length.
const FORMS: &str = include_str!("hostile.json");

#[test]
fn what_is_made_to_take_long_is_still_read() {
    for (start, unit) in serde_json::from_str::<Vec<(String, String)>>(FORMS).unwrap() {
        let message = start.clone() + &unit.repeat(16_384 / unit.len());
        assert!(!parsed(message).alerts.is_empty(), "{start:?} and {unit:?}");
    }
}

#[test]
fn depth_does_not_matter() {
    for (open, inside, close) in [("[", "", "]"), ("{\"a\":", "1", "}"), ("{\"body\":", "\"x\"", "}")] {
        let message = format!("{}{inside}{}", open.repeat(50_000), close.repeat(50_000));
        assert_eq!(parsed(message).alerts.len(), 1);
    }
    let mut body = "**Firing**\n\nValue: \n".to_owned();
    for _ in 0..8 {
        body = serde_json::json!({ "body": body, "state": "ok" }).to_string();
    }
    assert_eq!(parsed(body).alerts.len(), 1);
}
