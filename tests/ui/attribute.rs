//! Misuses of the attribute and the errors that they cause. Each expected error was reviewed by hand; the files match the
//! toolchain that CI uses.
#![allow(missing_docs, reason = "tests")]

#[test]
fn misuses_of_the_attribute() {
    trybuild::TestCases::new().compile_fail("orchestrate/*.rs");
}

#[test]
fn misuses_of_the_attribute_subscribe() {
    trybuild::TestCases::new().compile_fail("subscribe/*.rs");
}
