//! The codes of known errors, of chains of causes, and of types with the derive.

#![forbid(unsafe_code)]

mod chain;
mod derive;
mod known;
mod other_versions;

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use graceful::{Classify, Code, StepError};

fn told(error: &(impl Classify + ?Sized)) -> (Code, String) {
    (error.code(), error.message().into_owned())
}

fn says(code: Code, message: &str) -> (Code, String) {
    (code, message.to_owned())
}

#[derive(Debug, Classify)]
enum UserError {
    #[classify(code = NotFound, message = "user {id} not found")]
    Missing { id: u64 },
    #[classify(code = Code::AlreadyExists)]
    Taken,
    #[classify(transparent)]
    Io(io::Error),
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a secret text: {self:?}")
    }
}

impl Error for UserError {}

/// An error that says nothing about itself but its cause.
#[derive(Debug)]
struct Opaque(Option<Box<dyn Error + Send + Sync>>);

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret text")
    }
}

impl Error for Opaque {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

fn opaque(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Opaque {
    Opaque(Some(cause.into()))
}

/// Names of the prelude and of ours, all taken; and `graceful` under another.
#[expect(dead_code, reason = "only their names count")]
mod taken {
    mod lib {
        pub mod graceful {
            pub use ::graceful::*;
        }
    }

    pub struct Code;
    pub struct Option;
    pub struct Result;
    pub struct String;
    pub struct Some;
    pub struct Ok;
    pub struct Cow;
    pub mod core {}
    pub mod std {}
    #[allow(non_camel_case_types)]
    pub struct str;
    pub trait Classify {}

    #[derive(Debug, lib::graceful::Classify)]
    #[classify(crate = lib::graceful)]
    pub enum Taken {
        #[classify(code = NotFound, message = "no {field}")]
        Code { field: u8 },
        #[classify(code = Aborted)]
        Ok,
        #[classify(transparent)]
        Option(::std::io::Error),
    }

    impl ::std::fmt::Display for Taken {
        fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
            f.write_str("taken")
        }
    }

    impl ::std::error::Error for Taken {}
}

#[test]
fn names_that_users_took() {
    assert_eq!(told(&taken::Taken::Code { field: 7 }), says(Code::NotFound, "no 7"));
    assert_eq!(anyhow::Error::new(taken::Taken::Ok).context("x").code(), Code::Aborted);
    assert_eq!(taken::Taken::Option(ErrorKind::NotFound.into()).code(), Code::NotFound);
}

/// The expansion of the derive raises no warning of its own; those of the user still fire.
#[deny(warnings, clippy::pedantic, clippy::nursery)]
#[expect(dead_code, reason = "nothing makes these variants, and the derive does not hide that")]
mod quiet {
    use graceful::Classify;

    #[derive(Classify)]
    #[deprecated]
    pub enum Old {
        #[deprecated]
        #[classify(code = NotFound)]
        Gone,
        #[classify(code = NotFound)]
        Same,
        #[classify(code = Aborted, message = "not {it}")]
        Shown {
            #[deprecated]
            it: u8,
        },
    }

    #[derive(Classify)]
    pub enum Single {
        #[classify(code = NotFound, message = "the same")]
        One,
    }

    #[derive(Classify)]
    pub enum Same {
        #[classify(code = NotFound, message = "the same")]
        One,
        #[classify(code = NotFound, message = "the same")]
        Two(u8),
        #[classify(code = Aborted)]
        Three,
    }

    struct Private<T>(T);

    impl<T> Classify for Private<T> {
        fn code(&self) -> graceful::Code {
            graceful::Code::Internal
        }
    }

    #[derive(Classify)]
    #[classify(transparent)]
    pub struct Generic<T>(Private<T>);
}
