//! Without an orchestrator an annotated handler allocates nothing that the plain one does not.
//!
//! Counting takes an allocator, and an allocator takes `unsafe`, which this workspace forbids: so the count is made by a
//! program of its own, which is built and run here.
#![allow(missing_docs, reason = "tests")]

#[test]
fn an_annotated_handler_without_an_orchestrator_allocates_what_the_plain_one_does() {
    trybuild::TestCases::new().pass("tests/allocations/program.rs");
}
