//! An error with its causes, for people: texts of errors never repeat those of their causes.

use std::error::Error;

/// The error's text and that of each of its causes; a cause that says the same again is left out.
#[must_use]
pub fn causes(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts
}

/// The same in one line.
#[must_use]
pub fn told(error: &dyn Error) -> String {
    causes(error).join(": ")
}
