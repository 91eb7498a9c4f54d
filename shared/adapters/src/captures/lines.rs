//! Lines of a stream, with a bound on what one line may take in memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, ReadBuf};

use super::Reader;

/// Reads a stream line by line. Memory is bounded by the longest line allowed, whatever the
/// stream's length.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    longest: usize,
    line: Vec<u8>,
    /// Lines given out so far; the last one's number, counted from 1.
    number: u64,
}

/// One line of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A whole line, without its line feed.
    Whole(&'a [u8]),
    /// A line over the limit; its bytes were passed over.
    TooLong {
        /// How long it is.
        bytes: u64,
    },
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Reads `reader`, holding at most `longest` bytes of a line.
    pub fn new(reader: R, longest: usize) -> Self {
        Self { reader, longest, line: Vec::new(), number: 0 }
    }

    /// The number of the line given out last, counted from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` at the end. A last line without a line feed counts.
    ///
    /// # Errors
    /// When the stream breaks, or when what claims to be gzip is not.
    pub async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut bytes = 0_u64;
        let mut has_started = false;
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                break;
            }
            has_started = true;
            let end = memchr::memchr(b'\n', chunk);
            let part = &chunk[..end.unwrap_or(chunk.len())];
            bytes += part.len() as u64;
            if bytes <= self.longest as u64 {
                self.line.extend_from_slice(part);
            } else {
                self.line = Vec::new();
            }
            let consumed = end.map_or(chunk.len(), |end| end + 1);
            self.reader.consume(consumed);
            if end.is_some() {
                break;
            }
        }
        if !has_started {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(if bytes <= self.longest as u64 { Line::Whole(&self.line) } else { Line::TooLong { bytes } }))
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.as_mut().poll_read(cx, buf)
    }
}

impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().0.as_mut().poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.0.as_mut().consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn read(text: &[u8], buffer: usize, longest: usize) -> Vec<Result<Vec<u8>, u64>> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text), longest);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            seen.push(match line {
                Line::Whole(line) => Ok(line.to_vec()),
                Line::TooLong { bytes } => Err(bytes),
            });
        }
        assert_eq!(lines.number(), seen.len() as u64);
        seen
    }

    #[tokio::test]
    async fn splits_at_line_feeds_whatever_the_chunks() {
        for buffer in 1..8 {
            let seen = read(b"one\n\ntwo\r\nthree", buffer, 100).await;
            assert_eq!(seen, [Ok(b"one".to_vec()), Ok(vec![]), Ok(b"two\r".to_vec()), Ok(b"three".to_vec())]);
        }
        assert_eq!(read(b"", 4, 100).await, []);
        assert_eq!(read(b"\n", 4, 100).await, [Ok(vec![])]);
    }

    #[tokio::test]
    async fn a_long_line_costs_neither_memory_nor_its_neighbours() {
        let mut text = b"a\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 100_000));
        text.extend(b"\nb\n");
        assert_eq!(read(&text, 64, 5).await, [Ok(b"a".to_vec()), Err(100_000), Ok(b"b".to_vec())]);
        assert_eq!(read(b"12345\n123456\n", 3, 5).await, [Ok(b"12345".to_vec()), Err(6)]);
    }
}
