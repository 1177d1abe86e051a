//! The contract of the example `users` is that of its lock.
#![allow(missing_docs, reason = "tests")]

use graceful::catalogue::Catalogue;
use graceful_examples as _;

#[test]
fn contract_is_locked() {
    graceful_testing::contract_is_locked(concat!(env!("CARGO_MANIFEST_DIR"), "/graceful.lock"));
}

/// Without its handlers, or without the schemas of its events, the lock would say little.
#[test]
fn lock_has_the_fields_of_events_and_what_subscribers_receive() {
    let lock = graceful_contract::lock(&Catalogue::of_program());
    for expected in [
        "event user_created data.email: string required\n",
        "event user_deleted\n",
        "event user_updated.failed code NOT_FOUND\n",
        "key user {}\n",
        "package graceful-examples\n",
        "receives graceful_examples::users::domains::updated value.email: string required\n",
        "stored graceful_examples::users::core::Users::load value.id: integer required",
    ] {
        assert!(lock.contains(expected), "{expected}{lock}");
    }
}
