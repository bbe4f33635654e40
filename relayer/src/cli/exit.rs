//! How a command ends. The numbers are an interface, described in `docs/CLI.md`.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Ok = 0,
    /// Something on this host failed: a file, a port, the system.
    Failure = 1,
    /// The command line, the configuration or a given file is wrong.
    Usage = 2,
    /// The contract or the chain said no.
    Refused = 3,
    /// The chain cannot be reached, is another one, or does not hold what is asked for.
    Chain = 4,
    /// All was reached and done, and the outcome is not the expected one.
    Unexpected = 5,
    /// A key file cannot be used.
    Key = 6,
    /// A transaction was sent and is in no block, or nobody knows yet.
    Unsettled = 7,
}

impl Exit {
    /// All of them, for the documentation's test.
    pub const ALL: [Self; 8] = [
        Self::Ok,
        Self::Failure,
        Self::Usage,
        Self::Refused,
        Self::Chain,
        Self::Unexpected,
        Self::Key,
        Self::Unsettled,
    ];

    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The word that stands for it in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failure => "failure",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Chain => "chain",
            Self::Unexpected => "unexpected",
            Self::Key => "key",
            Self::Unsettled => "unsettled",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
