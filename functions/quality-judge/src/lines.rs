//! The lines of an object, as a stream: what is published already is passed over, what is skipped is
//! counted, what is selected is handed on in chunks.

use std::io;

use adapters::captures::{Line, Lines, Reader};
use adapters::judge::Judge;
use domain::capture::SkipReason;

use crate::reading::{Candidate, Reading};
use crate::run::{Broken, ObjectRun, OpenLine};

/// Selected samples that are looked up, capped and budgeted together.
const CHUNK: usize = 100;
/// Lines between two looks at what happened beside the reading.
const BREATH: u64 = 256;
/// Skipped lines of an object that are logged one by one.
const LOGGED_SKIPS: u64 = 10;

impl<J: Judge + Send + Sync + 'static> ObjectRun<'_, J> {
    /// Reads until enough samples are selected; answers them and whether the object is at its end.
    pub(crate) async fn read_chunk(
        &mut self,
        lines: &mut Lines<Reader>,
    ) -> Result<(Vec<Candidate>, bool), Broken> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            let number = lines.number() + 1;
            if number.is_multiple_of(BREATH) {
                tokio::task::yield_now().await;
                self.catch_up()?;
                if self.must_stop() || self.is_full() {
                    break;
                }
            }
            match lines.next().await {
                Ok(Some(line)) => self.read_line(&line, number, &mut chunk),
                Ok(None) => return Ok((chunk, true)),
                // S3's own errors come as `Other`; the rest is what gzip says of its input.
                Err(error) if error.kind() == io::ErrorKind::Other => return Err(Broken::Stream),
                Err(error) => {
                    self.is_corrupt = true;
                    let (object_key, kind) = (&self.lease.object.key, error.kind());
                    tracing::warn!(%object_key, line = number, %kind, "the object's gzip is broken or cut; the rest is skipped");
                    return Ok((chunk, true));
                }
            }
        }
        Ok((chunk, false))
    }

    fn read_line(&mut self, line: &Line<'_>, number: u64, chunk: &mut Vec<Candidate>) {
        let is_published = number <= self.progress.lines_read && !self.progress.unresolved.contains(&number);
        if is_published {
            return;
        }
        self.counts.lines += 1;
        let reading = match line {
            Line::Whole(line) => self.reader.read(line, number, &mut self.counts),
            Line::TooLong { .. } => {
                Reading::Skipped { subject: self.reader.unattributed(), reason: SkipReason::LineTooLong }
            }
        };
        match reading {
            Reading::Blank => {}
            Reading::Skipped { subject, reason } => {
                self.tally.row(&subject).count(reason.metric_name());
                self.note_skip(number, reason);
            }
            Reading::Read { subject, row, candidates } if candidates.is_empty() => {
                self.tally.add_row(&subject, row);
            }
            Reading::Read { subject, row, candidates } => {
                self.counts.selected += candidates.len() as u64;
                let waiting = candidates.len();
                let open = OpenLine { subject, row, waiting, verdicts: Vec::new(), has_failed: false };
                self.open.insert(number, open);
                chunk.extend(candidates);
            }
        }
        self.progress.lines_read = self.progress.lines_read.max(number);
        if !self.open.contains_key(&number) {
            self.progress.unresolved.remove(&number);
            self.has_advanced = true;
        }
    }

    fn note_skip(&mut self, line: u64, reason: SkipReason) {
        self.skips += 1;
        *self.counts.skipped.entry(reason.as_str()).or_default() += 1;
        let object_key = &self.lease.object.key;
        if self.skips <= LOGGED_SKIPS {
            tracing::warn!(%object_key, line, reason = reason.as_str(), advice = reason.advice(), "line skipped");
        }
        if self.skips == LOGGED_SKIPS {
            tracing::warn!(%object_key, "further skipped lines of this object are only counted");
        }
    }
}
