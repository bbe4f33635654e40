//! The journal and what it comes to: says what is durable, and goes on with what it has when the disk is full.

use std::time::{Duration, Instant};

use super::error::AgentError;
use super::now_ms;
use super::record::{Recalled, Record};
use crate::causes::told;
use crate::journal::{Journal, JournalError, Limits};

/// A new segment that could not be written is tried again after this.
const REWRITE_AGAIN: Duration = Duration::from_secs(30);

/// What keeping a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Kept {
    /// It is on the disk.
    Durable,
    /// There is no space for it; nothing that it tells of may be done.
    Full,
}

/// The agent's journal.
#[derive(Debug)]
pub(super) struct Book {
    journal: Journal<Record>,
    limits: Limits,
    recalled: Recalled,
    rewrite_after: Option<Instant>,
    full: Option<String>,
}

impl Book {
    /// Goes on with an open journal, which comes to `recalled`.
    pub(super) fn new(journal: Journal<Record>, limits: Limits, recalled: Recalled) -> Self {
        Self { journal, limits, recalled, rewrite_after: None, full: None }
    }

    /// The number that the next record will have.
    pub(super) fn next_seq(&self) -> u64 {
        self.journal.next_seq()
    }

    /// Why nothing can be kept now, and what to do about it.
    pub(super) fn full(&self) -> Option<&str> {
        self.full.as_deref()
    }

    /// Sets the reserve aside again once there is space; says whether it is there.
    pub(super) fn fill_reserve(&mut self) -> bool {
        self.journal.fill_reserve()
    }

    /// Makes a record durable, unless the disk is full: that is no error, since a daemon must not lose its agent for it.
    ///
    /// # Errors
    /// [`AgentError`] where the journal can be neither written nor read again.
    pub(super) fn keep(&mut self, record: Record) -> Result<Kept, AgentError> {
        if self.full.is_some() {
            // A new segment holds less than the old one, so it may be what makes room.
            self.rewrite_after = None;
            self.shrink()?;
        }
        let appended = match self.append(&record) {
            Ok(appended) => appended,
            Err(error) if error.is_full() => {
                self.say_full(&error);
                return Ok(Kept::Full);
            }
            Err(error) => return Err(error.into()),
        };
        if appended {
            tracing::error!(
                "the disk is full: the journal's reserve is in use; free space in the agent's folder"
            );
        }
        if self.full.take().is_some() {
            tracing::info!("the disk has space again: the agent goes on");
        }
        self.recalled.take(record);
        self.shrink()?;
        Ok(Kept::Durable)
    }

    /// Appends, after reading the journal again where a full disk closed it. True when the reserve had to be given up.
    fn append(&mut self, record: &Record) -> Result<bool, JournalError> {
        if self.journal.is_closed() {
            let folder = self.journal.folder().to_owned();
            // What a failed sync left may be there or not: a record that is there twice says the same twice.
            self.journal = Journal::open(&folder, self.limits)?.0;
        }
        Ok(self.journal.append(record)?.disk_full)
    }

    /// Starts a new segment where the old one is long. One that cannot be written is no harm: the old one goes on.
    fn shrink(&mut self) -> Result<(), AgentError> {
        let is_early = self.rewrite_after.is_some_and(|after| Instant::now() < after);
        if !self.journal.needs_rewrite() || is_early {
            return Ok(());
        }
        match self.journal.rewrite(&self.recalled.records(now_ms()?)) {
            Ok(()) => self.rewrite_after = None,
            Err(error) => {
                tracing::warn!(why = told(&error), "the journal could not be shortened; it goes on as it is");
                self.rewrite_after = Some(Instant::now() + REWRITE_AGAIN);
            }
        }
        Ok(())
    }

    fn say_full(&mut self, error: &JournalError) {
        let folder = self.journal.folder().display();
        let full = format!("disk full: free space in {folder}; nothing is done until its intent can be kept");
        if self.full.is_none() {
            tracing::error!(why = told(error), "{full}");
        }
        self.full = Some(full);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn done(number: u64) -> Record {
        Record::Done { effect: format!("effect {number}"), failed: None }
    }

    fn book(folder: &Path) -> Book {
        let limits = Limits { segment_bytes: 64, ..Limits::default() };
        let (journal, contents) = Journal::<Record>::open(folder, limits).unwrap();
        let recalled = Recalled::of(contents.entries.into_iter().map(|entry| entry.record));
        Book::new(journal, limits, recalled)
    }

    /// No agent dies of a segment that is longer than it should be.
    #[test]
    fn a_segment_that_cannot_be_written_anew_goes_on() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("journal");
        let mut book = book(&folder);
        // Every temporary name is taken, so that no new segment can begin.
        let taken = |number: u32| folder.join(format!(".{}-{number}.tmp", std::process::id()));
        for number in 0..4_000 {
            std::fs::write(taken(number), b"").unwrap();
        }
        for number in 0..10 {
            assert_eq!(book.keep(done(number)).unwrap(), Kept::Durable, "{number}");
        }
        assert!(book.journal.needs_rewrite() && book.full().is_none());
        drop(book);
        let limits = Limits::default();
        let contents = Journal::<Record>::inspect(&folder, limits).unwrap();
        assert_eq!(contents.entries.len(), 10);
        // Opening sweeps what was in the way.
        let mut book = self::book(&folder);
        assert_eq!(book.keep(done(10)).unwrap(), Kept::Durable);
        assert!(!book.journal.needs_rewrite());
    }
}
