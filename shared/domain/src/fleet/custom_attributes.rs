//! The `CustomAttributes` header of an invocation: up to 1024 visible characters in any form.
//! Two are in use, `k=v` pairs and a JSON object.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::capture::Scalar;

/// The value of the first of `keys` that the header has; case does not matter in keys.
pub(super) fn find<'a>(header: &'a str, keys: &[String]) -> Option<Cow<'a, str>> {
    let header = header.trim();
    if header.starts_with('{') {
        let mut entries: BTreeMap<Cow<'a, str>, Scalar<'a>> = serde_json::from_str(header).ok()?;
        return keys.iter().find_map(|key| {
            let (_, value) = entries.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            std::mem::take(value).into_text()
        });
    }
    let pairs = || header.split([',', ';']).filter_map(|pair| pair.split_once('='));
    keys.iter().find_map(|key| {
        let (_, value) = pairs().find(|(name, _)| name.trim().eq_ignore_ascii_case(key))?;
        Some(Cow::Borrowed(value.trim().trim_matches('"')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_first_key_in_pairs_and_in_json() {
        let keys = ["ic".to_owned(), "component".to_owned()];
        for (header, expected) in [
            ("ic=a", Some("a")),
            ("tenant=x; IC = \"a\" ,ic=b", Some("a")),
            ("component=b,ic=a", Some("a")),
            ("component=b", Some("b")),
            (r#"{"tenant":{"ic":"x"},"Ic":"a\u002d1"}"#, Some("a-1")),
            (r#"{"ic":7,"component":"b"}"#, Some("b")),
            (r#"{"ic":"a""#, None),
            ("magic=a", None),
            ("ic", None),
            ("", None),
        ] {
            assert_eq!(find(header, &keys).as_deref(), expected, "{header}");
        }
    }
}
