//! How a subcommand ends.

use std::{fmt, process::ExitCode};

/// The result of a subcommand; its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Refused = 2,
    Partly = 3,
    Unhealthy = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a subcommand has no result.
#[derive(Debug)]
pub(crate) struct Problem {
    pub exit: Exit,
    pub text: String,
}

impl Problem {
    pub(crate) fn failed(text: impl fmt::Display) -> Self {
        Self { exit: Exit::Failed, text: text.to_string() }
    }

    pub(crate) fn refused(text: impl fmt::Display) -> Self {
        Self { exit: Exit::Refused, text: text.to_string() }
    }
}

impl From<graceful::StepError> for Problem {
    fn from(error: graceful::StepError) -> Self {
        Self::failed(error.message())
    }
}
