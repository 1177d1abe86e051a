//! The codes of known errors, of chains of causes, and of types with the derive.

#![forbid(unsafe_code)]

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

mod known {
    use super::*;

    #[test]
    fn io_errors_go_by_their_kind() {
        for (kind, code) in [
            (ErrorKind::NotFound, Code::NotFound),
            (ErrorKind::PermissionDenied, Code::PermissionDenied),
            (ErrorKind::AlreadyExists, Code::AlreadyExists),
            (ErrorKind::InvalidInput, Code::InvalidArgument),
            (ErrorKind::InvalidData, Code::DataLoss),
            (ErrorKind::TimedOut, Code::DeadlineExceeded),
            (ErrorKind::ConnectionRefused, Code::Unavailable),
            (ErrorKind::StorageFull, Code::ResourceExhausted),
            (ErrorKind::ReadOnlyFilesystem, Code::FailedPrecondition),
            (ErrorKind::Unsupported, Code::Unimplemented),
            (ErrorKind::Deadlock, Code::Aborted),
            (ErrorKind::Interrupted, Code::Internal),
        ] {
            assert_eq!(told(&io::Error::new(kind, "a secret text")), says(code, code.text()), "{kind}");
        }
    }

    #[test]
    fn io_error_without_a_kind_is_classified_by_its_cause() {
        assert_eq!(io::Error::other(UserError::Missing { id: 7 }).code(), Code::NotFound);
        assert_eq!(io::Error::other(opaque(UserError::Taken)).code(), Code::AlreadyExists);
        assert_eq!(io::Error::other("a secret text").code(), Code::Internal);
        // The kind was chosen by whoever wrapped it.
        assert_eq!(io::Error::new(ErrorKind::TimedOut, UserError::Taken).code(), Code::DeadlineExceeded);
    }

    #[test]
    fn parse_error_is_an_invalid_argument() {
        let errors: [&dyn Classify; 6] = [
            &"x".parse::<u8>().unwrap_err(),
            &"x".parse::<f64>().unwrap_err(),
            &"x".parse::<bool>().unwrap_err(),
            &"x".parse::<std::net::IpAddr>().unwrap_err(),
            &str::from_utf8(&[255, u8::from(true)]).unwrap_err(),
            &String::from_utf8(vec![255]).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(told(error), says(Code::InvalidArgument, "invalid argument"));
        }
        assert_eq!(u8::try_from(256_i32).unwrap_err().code(), Code::OutOfRange);
    }

    #[test]
    fn json_errors_go_by_their_category() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }

        let syntax = serde_json::from_str::<u8>("{").unwrap_err();
        let eof = serde_json::from_str::<u8>("").unwrap_err();
        let data = serde_json::from_str::<u8>("true").unwrap_err();
        assert_eq!([syntax.code(), eof.code(), data.code()], [Code::InvalidArgument; 3]);

        assert_eq!(serde_json::from_reader::<_, u8>(Broken).unwrap_err().code(), Code::Unavailable);
    }

    #[tokio::test]
    async fn tasks_and_time() {
        let elapsed = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
        assert_eq!(elapsed.code(), Code::DeadlineExceeded);

        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(task.await.unwrap_err().code(), Code::Cancelled);

        let task = tokio::spawn(async { panic!("a secret text") });
        assert_eq!(told(&task.await.unwrap_err()), says(Code::Internal, "internal error"));
    }

    #[test]
    fn poisoned_lock_is_internal() {
        let lock = Mutex::new(());
        std::thread::scope(|scope| {
            let holder = scope.spawn(|| {
                let _held = lock.lock();
                panic!("poisons the lock")
            });
            holder.join().unwrap_err();
        });
        assert_eq!(lock.lock().map(drop).unwrap_err().code(), Code::Internal);
    }

    #[test]
    fn the_rest_of_the_core() {
        assert_eq!(fmt::Error.code(), Code::Internal);
        assert_eq!(StepError::new("a secret text").code(), Code::Internal);
        assert_eq!(told(&Code::Aborted), says(Code::Aborted, "aborted"));
    }

    #[test]
    fn pointers_ask_what_they_point_at() {
        let missing = says(Code::NotFound, "user 7 not found");
        assert_eq!(told(&&UserError::Missing { id: 7 }), missing);
        assert_eq!(told(&Box::new(UserError::Missing { id: 7 })), missing);
        assert_eq!(told(&Arc::new(UserError::Missing { id: 7 })), missing);
        let any: Box<dyn Classify> = Box::new(UserError::Missing { id: 7 });
        assert_eq!(told(&any), missing);
    }

    #[test]
    fn http_statuses() {
        use http::{Response, StatusCode};

        assert_eq!(told(&StatusCode::NOT_FOUND), says(Code::NotFound, "not found"));
        assert_eq!((StatusCode::FORBIDDEN, "a secret text").code(), Code::PermissionDenied);
        assert_eq!((StatusCode::SERVICE_UNAVAILABLE, (), "a secret text").code(), Code::Unavailable);
        let mut response = Response::new("a secret text");
        *response.status_mut() = StatusCode::CONFLICT;
        assert_eq!(response.code(), Code::Aborted);
        // An early answer is no fault, and still no success.
        assert_eq!((StatusCode::SEE_OTHER, ()).code(), Code::FailedPrecondition);
    }

    #[test]
    fn every_tonic_code_has_its_twin() {
        for code in Code::ALL {
            let status = tonic::Status::new(tonic::Code::from(code as i32), "a secret text");
            assert_eq!(told(&status), says(code, code.text()));
        }
    }
}

mod chain {
    use super::*;

    #[test]
    fn first_known_cause_determines_the_code() {
        let missing = says(Code::NotFound, "user 7 not found");
        let error: Box<dyn Error> = opaque(opaque(UserError::Missing { id: 7 })).into();
        assert_eq!(told(&error), missing);
        let error: Box<dyn Error + Send> = Box::new(UserError::Missing { id: 7 });
        assert_eq!(told(&error), missing);
        let error: Arc<dyn Error + Send + Sync> = Arc::new(opaque(UserError::Missing { id: 7 }));
        assert_eq!(told(&error), missing);
        assert_eq!(told(&*error), missing);

        let outer: Box<dyn Error + Send + Sync> = StepError::caused_by(UserError::Taken).into();
        assert_eq!(outer.code(), Code::Internal);
    }

    #[test]
    fn unknown_error_is_internal_and_hides_its_text() {
        let internal = says(Code::Internal, "internal error");
        let error: Box<dyn Error + Send + Sync> = Opaque(None).into();
        assert_eq!(told(&error), internal);
        let error: Box<dyn Error> = "a secret text".into();
        assert_eq!(told(&error), internal);
        assert_eq!(told(&anyhow::anyhow!("a secret text").context("another")), internal);
    }

    #[test]
    fn anyhow_with_two_levels_of_context() {
        let user = Err::<(), _>(UserError::Io(ErrorKind::StorageFull.into()));
        let error = user.context("while saving").context("while updating").unwrap_err();
        assert_eq!(told(&error), says(Code::ResourceExhausted, "resource exhausted"));

        let number = "x".parse::<u8>().context("the age").with_context(|| "the form").unwrap_err();
        assert_eq!(number.code(), Code::InvalidArgument);

        let status = anyhow::Error::new(tonic::Status::unavailable("a secret text")).context("mail");
        assert_eq!(status.code(), Code::Unavailable);

        let boxed = anyhow::Error::from_boxed(Box::new(UserError::Taken)).context("boxed");
        assert_eq!(boxed.code(), Code::AlreadyExists);
    }

    #[test]
    fn code_given_as_context_overrides_the_cause() {
        let error = anyhow::Error::new(UserError::Taken).context(Code::Aborted).context("while saving");
        assert_eq!(told(&error), says(Code::Aborted, "aborted"));
        assert_eq!(anyhow::anyhow!("a secret text").context(Code::NotFound).code(), Code::NotFound);
    }

    #[test]
    fn eyre_report_means_its_first_known_cause() {
        let report = eyre::Report::new(UserError::Taken).wrap_err("while saving");
        assert_eq!(told(&report), says(Code::AlreadyExists, "already exists"));
        let status = eyre::Report::new(tonic::Status::unavailable("a secret text")).wrap_err("mail");
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(told(&eyre::eyre!("a secret text").wrap_err("x")), says(Code::Internal, "internal error"));
        let report = eyre::Report::new(UserError::Taken).wrap_err(Code::Aborted).wrap_err("while saving");
        assert_eq!(told(&report), says(Code::Aborted, "aborted"));
    }

    #[test]
    fn errors_of_a_function_body_are_found_too() {
        #[derive(Debug, Classify)]
        #[classify(code = DataLoss)]
        struct Local;

        impl fmt::Display for Local {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret text")
            }
        }

        impl Error for Local {}

        assert_eq!(anyhow::Error::new(Local).code(), Code::DataLoss);
    }
}

mod derive {
    use super::*;

    #[test]
    fn enums() {
        assert_eq!(told(&UserError::Missing { id: 7 }), says(Code::NotFound, "user 7 not found"));
        assert_eq!(told(&UserError::Taken), says(Code::AlreadyExists, "already exists"));
        let io = UserError::Io(ErrorKind::PermissionDenied.into());
        assert_eq!(told(&io), says(Code::PermissionDenied, "permission denied"));
    }

    #[test]
    fn structs() {
        #[derive(Classify)]
        #[classify(code = Unavailable)]
        struct Unit;

        #[derive(Classify)]
        #[classify(message = "{0} of {1}, {0} {{of}} {1}")]
        #[classify(code = graceful::Code::OutOfRange)]
        struct Tuple(u8, &'static str);

        #[derive(Classify)]
        #[classify(code = Internal, message = "{{}}")]
        struct Named {
            _id: u8,
        }

        #[derive(Classify)]
        #[classify(transparent)]
        struct Wrapper {
            inner: UserError,
        }

        assert_eq!(told(&Unit), says(Code::Unavailable, "unavailable"));
        assert_eq!(told(&Tuple(3, "x")), says(Code::OutOfRange, "3 of x, 3 {of} x"));
        assert_eq!(told(&Named { _id: 1 }), says(Code::Internal, "{}"));
        assert_eq!(
            told(&Wrapper { inner: UserError::Missing { id: 7 } }),
            says(Code::NotFound, "user 7 not found")
        );
    }

    #[test]
    fn every_code_can_be_named() {
        #[derive(Clone, Copy, Classify)]
        enum Each {
            #[classify(code = Cancelled)]
            Cancelled,
            #[classify(code = Unknown)]
            Unknown,
            #[classify(code = InvalidArgument)]
            InvalidArgument,
            #[classify(code = DeadlineExceeded)]
            DeadlineExceeded,
            #[classify(code = NotFound)]
            NotFound,
            #[classify(code = AlreadyExists)]
            AlreadyExists,
            #[classify(code = PermissionDenied)]
            PermissionDenied,
            #[classify(code = ResourceExhausted)]
            ResourceExhausted,
            #[classify(code = FailedPrecondition)]
            FailedPrecondition,
            #[classify(code = Aborted)]
            Aborted,
            #[classify(code = OutOfRange)]
            OutOfRange,
            #[classify(code = Unimplemented)]
            Unimplemented,
            #[classify(code = Internal)]
            Internal,
            #[classify(code = Unavailable)]
            Unavailable,
            #[classify(code = DataLoss)]
            DataLoss,
            #[classify(code = Unauthenticated)]
            Unauthenticated,
        }

        use Each::*;
        let each = [
            Cancelled,
            Unknown,
            InvalidArgument,
            DeadlineExceeded,
            NotFound,
            AlreadyExists,
            PermissionDenied,
            ResourceExhausted,
            FailedPrecondition,
            Aborted,
            OutOfRange,
            Unimplemented,
            Internal,
            Unavailable,
            DataLoss,
            Unauthenticated,
        ];
        assert_eq!(each.map(|each| each.code()), Code::ALL[1..]);
    }

    #[test]
    fn generics_ask_only_for_what_is_used() {
        #[derive(Classify)]
        enum Generic<'a, T, U, const N: usize>
        where
            T: 'a,
        {
            #[classify(transparent)]
            Inner(T),
            #[classify(code = Aborted, message = "{shown}")]
            Shown { shown: &'a str, _hidden: [U; N] },
        }

        #[derive(Classify)]
        #[classify(code = Aborted, message = "{value}")]
        struct Projected<I: Iterator> {
            value: I::Item,
        }

        struct Mute;
        assert_eq!(
            told(&Generic::<_, Mute, 0>::Inner(UserError::Taken)),
            says(Code::AlreadyExists, "already exists")
        );
        let shown: Generic<'_, Code, _, 1> = Generic::Shown { shown: "x", _hidden: [Mute] };
        assert_eq!(told(&shown), says(Code::Aborted, "x"));

        assert_eq!(Projected::<std::ops::Range<u8>> { value: 7 }.message(), "7");
    }

    #[test]
    fn an_enum_without_variants() {
        #[derive(Classify)]
        enum Never {}

        let _: fn(&Never) -> Code = Classify::code;
    }

    #[test]
    fn made_by_a_macro() {
        macro_rules! error {
            ($name:ident { $($variant:ident: $code:ident, $text:literal;)* } $path:path) => {
                #[derive(Classify)]
                enum $name {
                    $(#[classify(code = $code, message = $text)] $variant,)*
                    #[classify(code = $path)]
                    Other,
                }
            };
        }
        error!(Made { Gone: NotFound, "gone"; } Code::Aborted);
        assert_eq!(told(&Made::Gone), says(Code::NotFound, "gone"));
        assert_eq!(told(&Made::Other), says(Code::Aborted, "aborted"));
    }

    #[test]
    fn raw_names() {
        #[derive(Classify)]
        #[allow(non_camel_case_types)]
        enum r#Raw {
            #[classify(code = Aborted, message = "of type {type}")]
            r#match { r#type: u8 },
        }
        assert_eq!(Raw::r#match { r#type: 7 }.message(), "of type 7");
    }
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

/// Types of a version that graceful does not know are warned of, once for each handler, and those of one that it knows are not.
#[allow(clippy::result_large_err, clippy::type_complexity, reason = "they are the types of other crates")]
mod other_versions {
    use axum::Json;
    use graceful::{Code, Orchestrator, orchestrate};
    use graceful_tests::Log;
    use http::StatusCode;

    /// Not `Serialize`.
    struct Opaque;

    #[orchestrate(pattern = "user")]
    fn http_0_2() -> Result<(), http_0_2::StatusCode> {
        Err(http_0_2::StatusCode::NOT_FOUND)
    }

    #[orchestrate(pattern = "user")]
    fn http() -> Result<(), StatusCode> {
        Err(StatusCode::NOT_FOUND)
    }

    #[orchestrate(pattern = "user")]
    fn axum_0_7() -> Result<axum_0_7::Json<u64>, Code> {
        Ok(axum_0_7::Json(1))
    }

    #[orchestrate(pattern = "user")]
    fn axum_0_7_in_parts() -> Result<(StatusCode, axum_0_7::Json<u64>), Code> {
        Ok((StatusCode::OK, axum_0_7::Json(1)))
    }

    #[orchestrate(pattern = "user")]
    fn tonic_0_12() -> Result<tonic_0_12::Response<u64>, tonic_0_12::Status> {
        Ok(tonic_0_12::Response::new(1))
    }

    #[orchestrate(pattern = "user")]
    fn tonic_0_12_status() -> Result<tonic_0_12::Response<u64>, tonic_0_12::Status> {
        Err(tonic_0_12::Status::not_found("no user"))
    }

    #[orchestrate(pattern = "user")]
    fn axum() -> Result<Json<Opaque>, Code> {
        Ok(Json(Opaque))
    }

    #[orchestrate(pattern = "user")]
    fn axum_in_parts() -> Result<(StatusCode, [(&'static str, u64); 1], Json<Opaque>), Code> {
        Ok((StatusCode::OK, [("x-id", 1)], Json(Opaque)))
    }

    #[orchestrate(pattern = "user")]
    fn axum_of_any<T>(value: T) -> Result<Json<T>, Code> {
        Ok(Json(value))
    }

    #[orchestrate(pattern = "user")]
    fn tonic() -> Result<tonic::Response<Opaque>, tonic::Status> {
        Ok(tonic::Response::new(Opaque))
    }

    /// The warnings of each call, which is made three times.
    fn warnings<R>(call: impl Fn() -> R) -> Vec<(tracing::Level, String, String)> {
        let (log, _listens) = Log::listen();
        let orchestrator = Orchestrator::in_memory();
        (0..3).for_each(|_| drop(orchestrator.sync_scope(&call)));
        let lines = log.of("graceful").into_iter().filter(|line| line.fields.contains_key("type"));
        lines
            .map(|line| (line.level, line.field("handler").to_owned(), line.field("type").to_owned()))
            .collect()
    }

    #[test]
    fn type_of_another_version_warns_once() {
        let warning =
            |handler: &str, of: &str| vec![(tracing::Level::WARN, handler.to_owned(), of.to_owned())];
        assert_eq!(warnings(http_0_2), warning("http_0_2", "http::status::StatusCode"));
        assert_eq!(warnings(axum_0_7), warning("axum_0_7", "axum::json::Json<u64>"));
        let in_parts = "(http::status::StatusCode, axum::json::Json<u64>)";
        assert_eq!(warnings(axum_0_7_in_parts), warning("axum_0_7_in_parts", in_parts));
        assert_eq!(warnings(tonic_0_12), warning("tonic_0_12", "tonic::response::Response<u64>"));
        assert_eq!(warnings(tonic_0_12_status), warning("tonic_0_12_status", "tonic::status::Status"));
    }

    #[test]
    fn type_of_a_known_version_warns_never() {
        assert_eq!(warnings(http), []);
        assert_eq!(warnings(axum), []);
        assert_eq!(warnings(axum_in_parts), []);
        assert_eq!(warnings(|| axum_of_any(Opaque)), []);
        assert_eq!(warnings(tonic), []);
    }
}
