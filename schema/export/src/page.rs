//! The table of raw keys in the page for integrators.

use std::path::Path;

use crate::error::ExportError;
use crate::fact::{Fact, Part};
use crate::folder::{self, Mode};

const BEGIN: &str = "<!-- keys: written by scripts/schemas.sh -->\n";
const END: &str = "<!-- end of keys -->\n";

/// Writes or checks the table in a page that has its place marked.
///
/// # Errors
/// [`ExportError::File`], and [`ExportError::Stale`] where the table or its marks are not there.
pub fn settle(page: &Path, facts: &[Fact], mode: Mode) -> Result<(), ExportError> {
    let told = |error| ExportError::File { doing: "read", path: page.to_owned(), error };
    let text = std::fs::read_to_string(page).map_err(told)?;
    let marked = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let Some((before, after)) = marked else {
        return Err(ExportError::Stale { paths: vec![page.display().to_string()] });
    };
    let wanted = format!("{before}{BEGIN}\n{}\n{END}{after}", table(facts));
    let stale = folder::put(page, &wanted, mode)?;
    folder::finish(stale.into_iter().collect(), mode)
}

/// A row a name: key, value, what it is, and the key of an example.
fn table(facts: &[Fact]) -> String {
    let mut text = String::from("| key | value | what |\n|---|---|---|\n");
    for fact in facts {
        let parts: String = fact.parts.iter().map(|part| format!(", {}", shown(part))).collect();
        let file = format!("[`{0}`](../schema/json/facts/{0}.json)", fact.name);
        text.push_str(&format!("| `{}`{parts} | {file} | {} |\n", fact.namespace, fact.what));
    }
    text
}

fn shown(part: &Part) -> String {
    match part {
        Part::Text(name, _) => (*name).to_owned(),
        Part::Byte(name, _) => format!("{name}: u8"),
        Part::Short(name, _) => format!("{name}: u32"),
        Part::Number(name, _) => format!("{name}: u64"),
        Part::Letter(letter) => format!("`{letter}`"),
    }
}
