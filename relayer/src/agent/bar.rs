//! What a person who watches the agent in a terminal sees of a download.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Drawn at most so often a second.
const DRAWS_PER_SECOND: u8 = 10;
const LOOK: &str = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// A bar of one download. Where the error output is no terminal, nothing is drawn.
#[derive(Debug)]
pub(super) struct DownloadBar(ProgressBar);

impl DownloadBar {
    /// A bar for so many bytes.
    #[must_use]
    pub(super) fn new(name: &str, bytes: u64) -> Self {
        Self::on(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND), name, bytes)
    }

    fn on(target: ProgressDrawTarget, name: &str, bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), target).with_prefix(name.to_owned());
        // The plain look of the library is a bar too, if this one cannot be read.
        if let Ok(style) = ProgressStyle::with_template(LOOK) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So much is there; the next address may begin anew.
    pub(super) fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for DownloadBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    #[test]
    fn a_bar_says_how_far_a_download_is_and_leaves_nothing_behind() {
        let term = InMemoryTerm::new(5, 100);
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()) as Box<dyn TermLike>);
        let bar = DownloadBar::on(target, "download 0123456789ab", 2 << 20);
        bar.at(1 << 20);
        bar.0.tick();
        let shown = term.contents();
        assert!(shown.contains("download 0123456789ab"), "{shown}");
        assert!(shown.contains("1.00 MiB/2.00 MiB"), "{shown}");
        drop(bar);
        assert_eq!(term.contents(), "");
    }
}
