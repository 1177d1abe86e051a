//! Names that equal names of the expansion or of the language.

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

#[orchestrate(pattern = "n", id = r#type)]
async fn r#match(r#type: u64) -> Result<u64, Odd> {
    even(r#type)
}

#[orchestrate(pattern = "n", id = "{r#fn}")]
async fn raw_in_a_template(r#fn: u64) -> Result<u64, Odd> {
    even(r#fn)
}

macro_rules! named {
    ($($name:ident)*) => {
        mod named {
            #![allow(clippy::used_underscore_binding, reason = "that is the shape")]

            use super::{Odd, even, orchestrate};

            $(
                #[orchestrate(pattern = "n", id = $name)]
                pub(super) async fn $name($name: u64) -> Result<u64, Odd> {
                    even($name)
                }

                pub(super) mod $name {
                    use super::{Odd, even, orchestrate};

                    #[orchestrate(pattern = "n", id = $name)]
                    pub(in super::super) fn sync($name: u64) -> Result<u64, Odd> {
                        even($name)
                    }
                }
            )*
        }

        #[test]
        fn arguments_named_like_our_variables() {
            $(
                both(named::$name);
                both_sync(named::$name::sync);
            )*
        }
    };
}

named! {
    key cache result draft flow step error caller __outcome site run enter call view value payload
    body hook hooks outcome state orchestrator graceful fallback arm recovered text unnamed_0 this
    _draft _result __self __arg0 __ret __body ok err code message metadata site_ f future args cx
}

#[orchestrate(pattern = "n", id = draft + site, actor = result)]
async fn our_names(draft: u64, site: u64, result: &str, error: (), flow: (), step: ()) -> Result<u64, Odd> {
    let (_, ()) = (result, error);
    let ((), ()) = (flow, step);
    even(draft + site)
}

#[test]
fn raw_identifiers() {
    both(r#match);
    both(raw_in_a_template);
    both(async |n: u64| our_names(n - 1, 1, "ada", (), (), ()).await);
}

/// Types, values, modules and macros of the user's that are named like the language's.
mod shadowed {
    #![allow(dead_code, unused_macros, reason = "they are there to be in the way")]

    use super::{Odd, even, orchestrate};

    struct Ok;
    struct Err;
    struct Some;
    struct None;
    struct Option;
    struct Result;
    struct Box;
    struct String;
    struct Vec;
    struct Arc;
    struct Default;
    trait Send {}
    trait Sync {}
    trait Fn {}
    trait FnOnce {}
    trait Future {}
    trait IntoFuture {}
    trait Into {}
    trait From {}
    trait Clone {}
    trait Sized {}
    trait Drop {}
    mod core {}
    mod std {}
    mod alloc {}
    mod graceful {}
    mod tracing {}
    mod serde {}
    mod tokio {}
    fn drop() {}
    fn enter() {}
    fn never() {}

    macro_rules! format_args {
        ($($tokens:tt)*) => {
            compile_error!("not ours")
        };
    }
    macro_rules! line {
        () => {
            compile_error!("not ours")
        };
    }

    #[orchestrate(pattern = "n", id = "{n}", tags = ["x"], event, fallback(with = no), message = "{n}")]
    pub(super) async fn handler(n: u64) -> ::core::result::Result<u64, Odd> {
        even(n)
    }

    async fn no(_: &::graceful::Failure<'_, Odd>) -> ::core::option::Option<u64> {
        ::core::option::Option::None
    }

    #[orchestrate(pattern = "n", id = n, audit(ok = seen))]
    pub(super) fn sync(n: u64) -> ::core::result::Result<u64, Odd> {
        even(n)
    }

    async fn seen(_: &::graceful::Success<'_, u64>) -> ::core::result::Result<(), ::graceful::StepError> {
        ::core::result::Result::Ok(())
    }
}

/// Methods of the user's traits that are named like ours, for every type.
mod traits_for_everything {
    #![allow(dead_code, reason = "they are there to be in the way")]

    use super::{Odd, even, orchestrate};

    trait Run {
        fn run(&self) {}
        fn call(&self) {}
        fn id(&self) {}
        fn key(&self) {}
        fn payload(&self) {}
        fn classify(&self) {}
        fn finish(&self) {}
        fn as_result(&self) {}
    }

    impl<T: ?Sized> Run for T {}

    #[orchestrate(pattern = "n", id = n, cache = n)]
    pub(super) async fn handler(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

/// A glob in the body shadows what the signature names.
mod globs {
    use super::{Odd, even, orchestrate};

    pub(super) mod inner {
        pub(in super::super) type Result = u64;
        pub(in super::super) struct Odd;
        pub(in super::super) mod core {}
        pub(in super::super) mod graceful {}
    }

    #[orchestrate(pattern = "n", id = n)]
    #[allow(unused_imports, reason = "they are there to be in the way")]
    pub(super) async fn handler(n: u64) -> Result<u64, Odd> {
        use self::inner::*;
        let n: Result = n;
        let _ = Odd;
        even(n)
    }

    #[orchestrate(pattern = "n", id = n)]
    #[allow(dead_code, reason = "it is there to be in the way")]
    pub(super) fn items(n: u64) -> Result<u64, Odd> {
        struct Odd;
        struct Result;
        enum Option {}
        mod core {}
        even(n)
    }
}

#[test]
fn shadowed_names() {
    both(shadowed::handler);
    both_sync(shadowed::sync);
    both(traits_for_everything::handler);
    both(globs::handler);
    both_sync(globs::items);
}

/// Types named like the parameters' conventions: `Odd` as a generic, `T` as a value.
#[orchestrate(pattern = "n", id = n)]
#[allow(non_camel_case_types, non_snake_case, clippy::type_complexity, reason = "that is the shape")]
async fn generics_named_like_values<R, F, T, E, B, O, X, A, P, draft>(
    n: u64,
    T: [(R, F, T, E, B, O, X, A, P, draft); 0],
) -> Result<u64, Odd> {
    let [] = T;
    even(n)
}

#[test]
fn generics() {
    both(async |n| generics_named_like_values::<(), (), (), (), (), (), (), (), (), ()>(n, []).await);
}
