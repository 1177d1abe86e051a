//! The places where an annotated function may be defined.

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

#[test]
fn handler_in_a_function_runs_both_flows() {
    #[orchestrate(pattern = "n", id = n)]
    async fn inner(n: u64) -> Result<u64, Odd> {
        #[orchestrate(pattern = "elsewhere", id = n, when = false)]
        fn innermost(n: u64) -> Result<u64, Odd> {
            even(n)
        }
        innermost(n)
    }
    both(inner);
}

#[test]
fn handler_in_a_block_and_a_closure_runs_both_flows() {
    let call = {
        #[orchestrate(pattern = "n", id = n)]
        async fn inner(n: u64) -> Result<u64, Odd> {
            even(n)
        }
        || inner
    };
    both(call());
}

const IN_A_CONSTANT: fn(u64) -> Result<u64, Odd> = {
    #[orchestrate(pattern = "n", id = n)]
    fn inner(n: u64) -> Result<u64, Odd> {
        even(n)
    }
    inner
};

#[test]
fn handler_in_a_const_block_runs_both_flows() {
    both_sync(
        const {
            #[orchestrate(pattern = "n", id = n, fallback = last_good, cache = n, alert(required, with = paged))]
            fn inner(n: u64) -> Result<u64, Failed> {
                Ok(even(n)?)
            }
            |n| inner(n).map_err(|_| Odd)
        },
    );
}

struct Failed;

impl From<Odd> for Failed {
    fn from(_: Odd) -> Self {
        Self
    }
}

impl From<graceful::StepError> for Failed {
    fn from(_: graceful::StepError) -> Self {
        Self
    }
}

async fn paged(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

/// How derive macros hide what they make.
const _: () = {
    #[orchestrate(pattern = "n")]
    impl super::places::Hidden {
        #[orchestrate(id = n)]
        pub async fn method(&self, n: u64) -> Result<u64, Odd> {
            even(n)
        }
    }
};

pub struct Hidden;

mod outer {
    pub mod inner {
        use graceful as polite;

        #[polite::orchestrate(pattern = "n", id = n)]
        pub(in super::super) async fn restricted(n: u64) -> Result<u64, crate::shapes::Odd> {
            crate::shapes::even(n)
        }

        #[::graceful::orchestrate(pattern = "n", id = n)]
        pub(crate) async fn for_the_crate(n: u64) -> crate::shapes::results::Answer {
            crate::shapes::even(n)
        }

        #[polite::orchestrate(pattern = "n", id = n, crate = polite)]
        pub async fn through_a_path(n: u64) -> Result<u64, crate::shapes::Odd> {
            crate::shapes::even(n)
        }

        #[polite::orchestrate(pattern = "n", id = n, crate = crate::shapes::reexport)]
        pub async fn reexported(n: u64) -> Result<u64, crate::shapes::Odd> {
            crate::shapes::even(n)
        }
    }

    pub use inner::reexported as also;
}

#[test]
fn handler_in_another_module_runs_both_flows() {
    both_sync(IN_A_CONSTANT);
    both(async |n| Hidden.method(n).await);
    both(outer::inner::restricted);
    both(outer::inner::for_the_crate);
    both(outer::inner::through_a_path);
    both(outer::also);
}

#[test]
fn handler_in_an_async_block_runs_both_flows() {
    both(async |n| {
        #[orchestrate(pattern = "n", id = n)]
        async fn inner(n: u64) -> Result<u64, Odd> {
            even(n)
        }
        inner(n).await
    });
}

mod under_another_name {
    use graceful::orchestrate as follow;

    use super::{Odd, even};

    pub struct Service;

    #[follow(pattern = "n", id = n)]
    impl Service {
        #[follow(actor = n)]
        pub async fn call(n: u64) -> Result<u64, Odd> {
            even(n)
        }

        #[graceful::orchestrate]
        pub fn call_sync(n: u64) -> Result<u64, Odd> {
            even(n)
        }
    }

    pub struct Conditional;

    #[cfg_attr(test, follow(pattern = "n", id = n))]
    impl Conditional {
        #[follow]
        pub async fn call(n: u64) -> Result<u64, Odd> {
            even(n)
        }
    }

    macro_rules! of_a_macro {
        ($name:ident, $pattern:literal) => {
            pub struct $name;

            #[follow(pattern = $pattern, id = n)]
            impl $name {
                #[follow]
                pub async fn call(n: u64) -> Result<u64, Odd> {
                    even(n)
                }
            }
        };
    }

    of_a_macro!(OfAMacro, "n");
}

#[test]
fn block_under_another_name_gives_defaults() {
    both(under_another_name::Service::call);
    both_sync(under_another_name::Service::call_sync);
    both(under_another_name::Conditional::call);
    both(under_another_name::OfAMacro::call);
}
