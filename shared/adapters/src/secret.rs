//! A text that is shown to nobody.

use std::fmt;

/// A token, key or address that must not reach a log, an error or a file. Only
/// [`Secret::reveal`] gives it away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into custody. White space around it, such as a final line break, is no part of
    /// it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text, to be sent and for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        let secret = Secret::new(" quokka\n");
        assert_eq!(secret.reveal(), "quokka");
        assert!(!format!("{secret:?} {:?}", Some(&secret)).contains("quokka"));
    }
}
