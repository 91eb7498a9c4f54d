//! What the request holds already is given back, not leaked.

use std::iter;

use memchr::memmem;

/// How many echoes are looked up in one exchange. Each costs a search of the request, so a limit
/// keeps a reply of nothing but echoes linear; a real leak after so many is missed.
const MOST: usize = 32;

/// How a text is reduced before it is compared.
#[derive(Debug, Clone, Copy)]
enum Form {
    Verbatim,
    Squeezed,
}

/// The request, as far as it has been needed: nothing is copied before the first candidate.
pub(super) struct Echo<I> {
    texts: I,
    form: Form,
    squeezed: Option<Vec<u8>>,
    left: usize,
}

impl<'a, I: Iterator<Item = &'a str> + Clone> Echo<I> {
    /// Compares byte by byte.
    pub(super) const fn verbatim(texts: I) -> Self {
        Self { texts, form: Form::Verbatim, squeezed: None, left: MOST }
    }

    /// Compares letters and digits only, so that "4111-1111" is an echo of "4111 1111".
    pub(super) const fn squeezed(texts: I) -> Self {
        Self { texts, form: Form::Squeezed, squeezed: None, left: MOST }
    }

    /// Whether the candidate does not stand in the request.
    pub(super) fn is_new(&mut self, candidate: &str) -> bool {
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        self.left = left;
        match self.form {
            Form::Verbatim => {
                let finder = memmem::Finder::new(candidate);
                self.texts.clone().all(|text| finder.find(text.as_bytes()).is_none())
            }
            Form::Squeezed => {
                let texts = &self.texts;
                let request = self.squeezed.get_or_insert_with(|| {
                    // A line break keeps the turns apart.
                    texts.clone().flat_map(|text| squeeze(text).chain(iter::once(b'\n'))).collect()
                });
                let candidate: Vec<u8> = squeeze(candidate).collect();
                memmem::find(request, &candidate).is_none()
            }
        }
    }
}

fn squeeze(text: &str) -> impl Iterator<Item = u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}
