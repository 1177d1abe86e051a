//! Misuses of the derive and the errors that they cause.

#[test]
fn misuses_of_the_derive() {
    trybuild::TestCases::new().compile_fail("classify/*.rs");
}
