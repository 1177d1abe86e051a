//! The long form of tests, which `cargo xtask soak` runs.

use std::env;

/// How many cases a property has: this many, and in the long form as many times more as `GRACEFUL_SOAK` says.
pub fn cases(usual: u32) -> u32 {
    let times = env::var("GRACEFUL_SOAK");
    usual * times.map_or(1, |times| times.parse::<u32>().expect("GRACEFUL_SOAK: not a number"))
}

/// Whether this is the long form.
pub fn is_soak() -> bool {
    env::var_os("GRACEFUL_SOAK").is_some()
}
