//! What happens, drawn live on standard error: one line a node, repainted in place on a terminal, a line a change
//! elsewhere.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};

/// One node's line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The node's name.
    pub(crate) node: String,
    /// Its wave, once it has one.
    pub(crate) wave: Option<u8>,
    /// Its stage.
    pub(crate) stage: String,
    /// The version that its daemon last named.
    pub(crate) version: String,
    /// It does not answer the client now.
    pub(crate) is_silent: bool,
    /// What it waits on.
    pub(crate) waiting_on: String,
}

/// All that is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Since the demo began, in milliseconds.
    pub(crate) elapsed_ms: u64,
    /// The chain's tip.
    pub(crate) height: u64,
    /// What is shown now.
    pub(crate) act: String,
    /// Where the proposal or rollout is.
    pub(crate) phase: String,
    /// The nodes.
    pub(crate) rows: Vec<Row>,
}

/// The longest line that is drawn.
const WIDTH: usize = 110;

fn cut(text: &str) -> String {
    text.chars().take(WIDTH).collect()
}

fn seconds(elapsed_ms: u64) -> String {
    format!("{:>3}.{} s", elapsed_ms / 1_000, elapsed_ms % 1_000 / 100)
}

impl Row {
    fn line(&self) -> String {
        let wave = self.wave.map_or_else(|| "wave -".to_owned(), |wave| format!("wave {wave}"));
        let version = if self.is_silent { "silent" } else { self.version.as_str() };
        let waiting =
            if self.waiting_on.is_empty() { String::new() } else { format!("waits on {}", self.waiting_on) };
        format!("{:<8}  {wave:<6}  {version:<7}  {:<12}  {waiting}", self.node, self.stage)
            .trim_end()
            .to_owned()
    }

    /// What is worth a line of its own: not every change of what it waits on.
    fn changed_from(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.stage != self.stage || before.wave != self.wave)
    }
}

impl Picture {
    /// The whole picture.
    #[must_use]
    pub(crate) fn lines(&self) -> Vec<String> {
        let head = format!("{}  height {}  {}", seconds(self.elapsed_ms), self.height, self.act);
        let mut lines = vec![cut(&head), cut(&format!("         {}", self.phase))];
        lines.extend(self.rows.iter().map(|row| cut(&format!("  {}", row.line()))));
        lines
    }

    /// What has changed since another picture, a line each.
    #[must_use]
    pub(crate) fn changes(&self, before: &Self) -> Vec<String> {
        let at = seconds(self.elapsed_ms);
        let mut lines = Vec::new();
        if self.act != before.act {
            lines.push(format!("{at}  {}", self.act));
        }
        if !self.phase.is_empty() && word(&self.phase) != word(&before.phase) {
            lines.push(format!("{at}  {}", self.phase));
        }
        for row in &self.rows {
            if row.changed_from(before.rows.iter().find(|other| other.node == row.node)) {
                lines.push(format!("{at}    {}", row.line()));
            }
        }
        lines
    }
}

/// A phase without the numbers that change in every block.
fn word(phase: &str) -> &str {
    phase.split(';').next().unwrap_or(phase)
}

/// Paints pictures.
#[derive(Debug)]
pub(crate) struct Painter {
    in_place: bool,
    painted: usize,
    before: Picture,
}

impl Painter {
    /// Paints on standard error, in place if that is a terminal.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self { in_place: std::io::stderr().is_terminal(), painted: 0, before: Picture::default() }
    }

    /// Paints the next picture over the one before.
    pub(crate) fn paint(&mut self, picture: Picture) {
        let text = if self.in_place { self.repaint(&picture) } else { join(&picture.changes(&self.before)) };
        // A reader that went away is no reason to stop the demo.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
        self.before = picture;
    }

    fn repaint(&mut self, picture: &Picture) -> String {
        let lines = picture.lines();
        // A line that is too long for this terminal is cut by it: wrapped, the repainting would lose its place.
        let mut text = "\u{1b}[?7l".to_owned();
        if self.painted > 0 {
            let _ = write!(text, "\u{1b}[{}A", self.painted);
        }
        for line in &lines {
            let _ = writeln!(text, "\u{1b}[2K{line}");
        }
        text.push_str("\u{1b}[?7h");
        self.painted = lines.len();
        text
    }
}

impl Default for Painter {
    fn default() -> Self {
        Self::new()
    }
}

fn join(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(stage: &str, waiting_on: &str, phase: &str) -> Picture {
        let row = Row {
            node: "node-1".to_owned(),
            wave: Some(0),
            stage: stage.to_owned(),
            version: "1.0.0".to_owned(),
            is_silent: false,
            waiting_on: waiting_on.to_owned(),
        };
        Picture {
            elapsed_ms: 12_345,
            height: 77,
            act: "act 1".to_owned(),
            phase: phase.to_owned(),
            rows: vec![row],
        }
    }

    #[test]
    fn a_node_is_one_line_of_wave_version_stage_and_reason() {
        let lines = picture("armed", "height 80", "wave 0").lines();
        assert_eq!(lines[0], " 12.3 s  height 77  act 1");
        assert_eq!(lines[2], "  node-1    wave 0  1.0.0    armed         waits on height 80");
        let long = picture("armed", &"x".repeat(500), "wave 0").lines();
        assert!(long.iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn without_a_terminal_only_changes_of_stage_wave_phase_and_act_are_told() {
        let before = picture("armed", "height 80", "wave 0; 3 s left");
        assert_eq!(picture("armed", "height 81", "wave 0; 2 s left").changes(&before), Vec::<String>::new());
        let after = picture("leased", "", "wave 1; 2 s left").changes(&before);
        assert_eq!(after.len(), 2, "{after:?}");
        assert!(after[0].contains("wave 1") && after[1].contains("leased"), "{after:?}");
    }

    #[test]
    fn a_repaint_goes_back_over_what_was_painted_and_not_further() {
        let mut painter = Painter { in_place: true, painted: 0, before: Picture::default() };
        assert!(!painter.repaint(&picture("armed", "", "")).contains("[3A"));
        assert!(painter.repaint(&picture("armed", "", "")).contains("\u{1b}[3A"));
    }
}
