//! What people and programs read: a short text or one JSON object on standard output, all else on standard error.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

use super::exit::Exit;

/// What a command answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// For people; no line break at the end.
    pub text: String,
    /// For programs: one object.
    pub json: Value,
    /// How the process ends.
    pub exit: Exit,
    /// The deployment's floors are below those of production.
    pub short_floors: bool,
}

/// What every client command says of a deployment whose floors are below those of production.
pub const SHORT_FLOORS: &str = "development deployment: short floors";

impl Answer {
    /// A good answer.
    #[must_use]
    pub fn new(text: String, json: Value) -> Self {
        Self { text, json, exit: Exit::Ok, short_floors: false }
    }
}

/// Where and how things are shown.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// One object instead of texts.
    pub json: bool,
    color: bool,
    spin: bool,
}

impl Screen {
    /// The process's own: color and spinners only on terminals, and no color with `NO_COLOR` set.
    #[must_use]
    pub fn of_process(json: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = !json && !no_color && std::io::stdout().is_terminal();
        Self { json, color, spin: !json && std::io::stderr().is_terminal() }
    }

    /// One without color or movement.
    #[must_use]
    pub const fn plain(json: bool) -> Self {
        Self { json, color: false, spin: false }
    }

    fn paint(self, text: &str, code: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A heading.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint(text, "1")
    }

    /// What needs a look.
    #[must_use]
    pub fn alarm(self, text: &str) -> String {
        self.paint(text, "1;31")
    }

    /// Shows that something is waited for, until the guard goes.
    #[must_use]
    pub fn wait(self, what: &str) -> Wait {
        if !self.spin {
            return Wait(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()));
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Wait(bar)
    }

    /// Shows an answer.
    pub fn show(self, answer: &Answer) {
        if self.json {
            let mut json = answer.json.clone();
            if let (true, Value::Object(object)) = (answer.short_floors, &mut json) {
                object.insert("short_floors".to_owned(), Value::Bool(true));
            }
            line(&mut std::io::stdout().lock(), &json.to_string());
            return;
        }
        if answer.short_floors {
            line(&mut std::io::stderr().lock(), SHORT_FLOORS);
        }
        if !answer.text.is_empty() {
            line(&mut std::io::stdout().lock(), &answer.text);
        }
    }

    /// Shows an error with its causes.
    pub fn show_error(self, error: &super::CliError) {
        let mut out = std::io::stderr().lock();
        if self.json {
            line(&mut out, &error.json().to_string());
            return;
        }
        for (depth, text) in crate::causes::causes(error).iter().enumerate() {
            let head = if depth == 0 { "error: " } else { "  because: " };
            line(&mut out, &format!("{head}{text}"));
        }
    }
}

/// A reader that went away (`concord status | head -1`) is no error of ours.
fn line(out: &mut impl Write, text: &str) {
    let _ = writeln!(out, "{text}");
}

/// Shows a wait while it lives.
#[derive(Debug)]
pub struct Wait(ProgressBar);

impl Wait {
    /// Says how far it is.
    pub fn tell(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Columns, aligned; two blanks between them, none at the end of a line.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let aligned = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![aligned(&mut head.iter().copied())];
    lines.extend(rows.iter().map(|row| aligned(&mut row.iter().map(String::as_str))));
    lines.join("\n")
}

/// So many of a thing.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The longest that a value of an event is for people.
const VALUE_CHARACTERS_MAX: usize = 120;

/// A value of an event for people: one line that no terminal obeys, and of a long one the beginning and the length. Programs
/// get it whole, with `--json`.
#[must_use]
pub fn short(value: &str) -> String {
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    if value.chars().count() <= VALUE_CHARACTERS_MAX {
        return value.chars().map(plain).collect();
    }
    let ending = format!("… ({} bytes)", value.len());
    let room = VALUE_CHARACTERS_MAX.saturating_sub(ending.chars().count());
    value.chars().take(room).map(plain).chain(ending.chars()).collect()
}

/// A value of the schema in words: `wave 0` for `{"wave": 0}`.
#[must_use]
pub fn words(value: &impl Serialize) -> String {
    serde_json::to_value(value).map_or_else(|_| "?".to_owned(), |value| spell(&value))
}

fn spell(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('_', " "),
        Value::Object(object) => {
            let parts: Vec<String> = object
                .iter()
                .map(|(key, value)| match key.as_str() {
                    "ended" => spell(value),
                    key => format!("{} {}", key.replace('_', " "), spell(value)),
                })
                .collect();
            parts.join(", ")
        }
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_aligned_and_have_no_blanks_at_the_end() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(table(&["name", "n"], &rows), "name    n\na       1\nlonger");
        assert_eq!(table(&["name", "n"], &[]), "name  n");
    }

    #[test]
    fn values_of_the_schema_are_spelled_in_words() {
        for (value, expected) in [
            (json!("rolled_back"), "rolled back"),
            (json!({"wave": 0}), "wave 0"),
            (json!({"ended": "completed"}), "completed"),
            (json!(null), "-"),
        ] {
            assert_eq!(words(&value), expected);
        }
    }

    #[test]
    fn long_values_are_cut_for_people_at_both_edges() {
        let (longest, longer) = ("x".repeat(120), "x".repeat(121));
        assert_eq!(short(&longest), longest);
        assert_eq!(short(&longer), format!("{}… (121 bytes)", "x".repeat(120 - 13)));
        // Letters are counted and bytes are told.
        let letters = "é".repeat(121);
        assert!(short(&letters).ends_with("é… (242 bytes)"));
        assert_eq!(short(&letters).chars().count(), 120);
        assert_eq!(short("a\nb\u{1b}[31mc\td\u{9b}"), "a b [31mc d ");
    }

    #[test]
    fn nothing_is_colored_without_a_terminal() {
        let screen = Screen::plain(false);
        assert_eq!(screen.heading("x"), "x");
        assert_eq!(screen.alarm("x"), "x");
    }
}
