//! Misuses: the rendered error of each was read by eye. They are those of the toolchain that CI runs.
#![allow(missing_docs, reason = "tests")]

#[test]
fn misuses_of_the_attribute() {
    trybuild::TestCases::new().compile_fail("orchestrate/*.rs");
}
