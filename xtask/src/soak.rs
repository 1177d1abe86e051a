//! The tests in their long form: more kills, more cases of every property, and longer histories of the cache. It takes hours.

use crate::{
    Result,
    run::{cargo, run},
    services,
};

/// How many times as much as in `ci`.
const TIMES: &str = "20";

pub fn soak(filter: Option<&str>) -> Result {
    services::prepare()?;
    // Includes the tests whose server or program is missing: each of them fails, and says what it is.
    let mut tests = cargo("test --workspace --locked --tests --no-fail-fast -- --include-ignored");
    // Properties whose tests do not say how many cases they run have 256 in `ci`.
    run(tests
        .args(filter)
        .env("GRACEFUL_SOAK", TIMES)
        .env("GRACEFUL_KILLS", "1000")
        .env("PROPTEST_CASES", "5120"))
}
