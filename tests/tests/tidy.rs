//! House rules, kept by a test: rooms know only their own words, files and functions stay small, every invariant tag
//! stands in code and in a test, and nothing unfinished is left.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree has nothing to say")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Rooms and the words that must not stand in them, outside of comments.
const BANNED: &[(&str, &[&str])] = &[
    (
        "schema/src/",
        &[
            "tokio",
            "reqwest",
            "SystemTime",
            "Instant::now",
            "std::fs",
            "std::net",
            "rand::",
            "HashMap",
            "HashSet",
            "f32",
            "f64",
        ],
    ),
    (
        "relayer/decide/src/",
        &[
            "tokio",
            "reqwest",
            "SystemTime",
            "Instant::now",
            "std::fs",
            "std::net",
            "rand::",
            "HashMap",
            "HashSet",
            "f32",
            "f64",
        ],
    ),
    (
        "contracts/coordinator/src/",
        &["tokio", "reqwest", "SystemTime", "std::fs", "HashMap", "HashSet", "f32", "f64"],
    ),
    // Only the room of stored facts names storage.
    ("contracts/coordinator/src/execute/", &["Item::new", "Map::new"]),
    ("contracts/coordinator/src/query/", &["Item::new", "Map::new"]),
    // The agent knows nothing of the devnet: it is only another address.
    ("relayer/src/agent/", &["concord_devnet", "cw_multi_test"]),
    ("relayer/src/chain/", &["concord_devnet", "cw_multi_test"]),
    ("relayer/src/watch/", &["concord_devnet", "cw_multi_test"]),
];

const ROOMS_FORBIDDEN: &[&str] = &["utils", "helpers", "common", "core", "types"];

/// Words that say that something is not finished. Written in two halves, so that this file does not hold them.
fn unfinished() -> [String; 4] {
    ["todo", "unimplemented"]
        .map(|word| format!("{word}!("))
        .into_iter()
        .chain([format!("#[{}", "ignore"), format!("FIX{}", "ME")])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "artifacts", "node_modules"].contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    found
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), text)
        })
        .collect()
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The lines before the first inline test module.
fn product(text: &str) -> Vec<&str> {
    text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect()
}

fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn findings(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = product(text);
    if is_test(path) {
        return found;
    }
    if lines.len() > FILE_LINES_MAX {
        found.push(format!("{path}: {} lines, at most {FILE_LINES_MAX}", lines.len()));
    }
    for (room, words) in BANNED {
        if !path.starts_with(room) {
            continue;
        }
        for (number, line) in lines.iter().enumerate() {
            for word in words.iter().filter(|word| holds_word(code_of(line), word)) {
                found.push(format!("{path}:{}: {word:?} has no place in {room}", number + 1));
            }
        }
    }
    for room in ROOMS_FORBIDDEN {
        if path.split(['/', '.']).any(|part| part == *room) {
            found.push(format!("{path}: a room called {room} says nothing"));
        }
    }
    found.extend(long_functions(path, &lines));
    found
}

/// Does a line hold a word, and not merely as a part of a longer one?
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !part(before) && (word.ends_with(':') || !part(after))
    })
}

/// Functions of formatted code: from the line that says `fn` to the brace in the same column.
fn long_functions(path: &str, lines: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words = line.trim_start();
        let starts = [
            "fn ",
            "pub fn ",
            "pub(crate) fn ",
            "pub(super) fn ",
            "async fn ",
            "pub async fn ",
            "pub(crate) async fn ",
            "pub(super) async fn ",
            "const fn ",
            "pub const fn ",
        ];
        if open.is_none()
            && starts.iter().any(|start| words.starts_with(start))
            && !words.ends_with(';')
            && !words.ends_with('}')
        {
            open = Some((number, indent));
        } else if let Some((start, column)) = open
            && indent == column
            && words.starts_with('}')
        {
            let length = number - start + 1;
            if length > FUNCTION_LINES_MAX {
                found.push(format!(
                    "{path}:{}: function of {length} lines, at most {FUNCTION_LINES_MAX}",
                    start + 1
                ));
            }
            open = None;
        }
    }
    found
}

#[test]
fn the_rooms_are_in_order() {
    let found: Vec<String> = files().iter().flat_map(|(path, text)| findings(path, text)).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_rules_of_the_house_can_fail() {
    assert_eq!(findings("schema/src/a.rs", "use std::fs;\n").len(), 1);
    assert!(findings("schema/src/a.rs", "// std::fs is for others\n").is_empty());
    assert_eq!(findings("relayer/src/agent/a.rs", "use concord_devnet::x;\n").len(), 1);
    assert!(findings("relayer/src/demo/a.rs", "use concord_devnet::x;\n").is_empty());
    assert_eq!(findings("relayer/src/utils/a.rs", "").len(), 1);
    assert_eq!(findings("relayer/src/a.rs", &"x\n".repeat(501)).len(), 1);
    assert!(findings("relayer/src/a.rs", &"x\n".repeat(500)).is_empty());
    let function = |lines: usize| format!("fn long() {{\n{}}}\n", "    x();\n".repeat(lines - 2));
    assert_eq!(findings("relayer/src/a.rs", &function(71)).len(), 1);
    assert!(findings("relayer/src/a.rs", &function(70)).is_empty());
}

/// The pure machine has no way to the world, as nothing that it is built of has one. A crate more is a decision.
#[test]
fn the_machine_is_built_of_three_crates() {
    let manifest = fs::read_to_string(root().join("relayer/decide/Cargo.toml")).unwrap();
    let section = manifest.split("[dependencies]\n").nth(1).unwrap();
    let names: Vec<_> = section.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(
        names,
        ["concord-schema.workspace = true", "serde.workspace = true", "thiserror.workspace = true"]
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let words = unfinished();
    let found: Vec<String> = files()
        .iter()
        .flat_map(|(path, text)| {
            text.lines().enumerate().flat_map({
                let words = &words;
                move |(number, line)| {
                    words
                        .iter()
                        .filter(|word| line.contains(word.as_str()))
                        .map(move |word| format!("{path}:{}: {word}", number + 1))
                }
            })
        })
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Every invariant that there is.
const INVARIANTS: [&str; 17] = [
    "PHASE-1", "PHASE-2", "TALLY-1", "TALLY-2", "RULES-1", "BRAKE-1", "BRAKE-2", "MONEY-1", "LOG-1",
    "QUERY-1", "LIVE-1", "LIVE-2", "NODE-1", "NODE-2", "NODE-3", "NODE-4", "NODE-5",
];

/// The invariants of docs/ARCHITECTURE.md: each tag stands in product code and in a test.
#[test]
fn every_invariant_is_in_code_and_in_a_test() {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let tags: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split("**").next())
        .filter(|tag| {
            tag.contains('-') && tag.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
        })
        .map(str::to_owned)
        .collect();
    let known: BTreeSet<String> = INVARIANTS.map(str::to_owned).into();
    assert_eq!(tags, known, "docs/ARCHITECTURE.md names every invariant, and no other");
    let files = files();
    let mut missing = Vec::new();
    for tag in &tags {
        let in_code = files
            .iter()
            .any(|(path, text)| !is_test(path) && product(text).iter().any(|line| line.contains(tag)));
        let in_test = files.iter().any(|(path, text)| {
            let inline: String = text.lines().skip_while(|line| !line.starts_with("#[cfg(test)]")).collect();
            (is_test(path) && text.contains(tag) && !path.ends_with("tidy.rs")) || inline.contains(tag)
        });
        if !in_code || !in_test {
            missing.push(format!("{tag}: in code {in_code}, in a test {in_test}"));
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}
