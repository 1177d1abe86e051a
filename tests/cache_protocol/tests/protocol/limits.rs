//! The documented limits of the protocol are real: with these faults something is stale, although all rules are followed.

use graceful_tests_cache_protocol::{
    Delivery, Rule, Scenario,
    Violation::{StaleEntry, StaleRead},
};

use super::{DROP_IN_FLIGHT, INVALIDATE_A, PUT};

#[test]
fn hold_evicted_and_end_of_same_write_lost_is_violated() {
    Scenario::new(&[PUT], 2).evictions_with_holds(1).cuts(1).assert_violated(StaleRead, 15);
}

#[test]
fn server_restarted_during_write_and_its_end_lost_is_violated() {
    Scenario::new(&[PUT], 2).restarts(1).cuts(1).assert_violated(StaleRead, 16);
}

#[test]
fn key_of_result_and_end_lost_is_violated() {
    Scenario::new(&[INVALIDATE_A], 1).key_of_result().cuts(1).assert_violated(StaleRead, 7);
}

#[test]
fn key_of_result_and_process_dead_is_violated() {
    Scenario::new(&[INVALIDATE_A], 1).key_of_result().crashes(1).assert_violated(StaleEntry, 3);
}

#[test]
fn tx_hold_evicted_before_commit_is_violated() {
    Scenario::new(&[PUT], 2).delivery(Delivery::Tx).evictions_with_holds(1).assert_violated(StaleEntry, 12);
}

#[test]
fn tx_server_restarted_before_commit_is_violated() {
    Scenario::new(&[PUT], 2).delivery(Delivery::Tx).restarts(1).assert_violated(StaleEntry, 13);
}

/// Without `renew` a hold may expire at any moment.
#[test]
fn tx_hold_expired_before_commit_is_violated() {
    Scenario::new(&[PUT], 2).delivery(Delivery::Tx).without(Rule::Renew).assert_violated(StaleEntry, 12);
}

#[test]
fn commit_of_dropped_write_after_hold_expired_is_violated() {
    Scenario::new(&[DROP_IN_FLIGHT], 2).without(Rule::Renew).assert_violated(StaleEntry, 13);
}

#[test]
fn commit_of_dropped_write_after_hold_evicted_is_violated() {
    Scenario::new(&[DROP_IN_FLIGHT], 2).evictions_with_holds(1).assert_violated(StaleEntry, 13);
}
