//! What the derive says of its misuses.

#[test]
fn misuses_of_the_derive() {
    trybuild::TestCases::new().compile_fail("classify/*.rs");
}
