//! With all rules, nothing is stale: each scenario is searched exhaustively.

use graceful_tests_cache_protocol::{Delivery, Scenario};

use super::{DROP_IN_FLIGHT, FAIL, INVALIDATE_A, INVALIDATE_BOTH, INVALIDATE_D, PUT, PUT_DEPENDS_ON_D};

#[test]
fn two_puts_with_cut_hold() {
    assert_eq!(Scenario::new(&[PUT, PUT], 1).cuts(1).assert_holds(), 48_166);
}

#[test]
fn put_and_invalidation_with_cut_and_crash_hold() {
    assert_eq!(Scenario::new(&[PUT, INVALIDATE_A], 1).cuts(1).crashes(1).assert_holds(), 106_468);
}

#[test]
fn put_and_two_readers_with_two_cuts_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).cuts(2).assert_holds(), 34_566);
}

#[test]
fn invalidation_and_two_readers_with_two_cuts_hold() {
    assert_eq!(Scenario::new(&[INVALIDATE_A], 2).cuts(2).assert_holds(), 29_992);
}

#[test]
fn two_puts_with_two_evictions_hold() {
    assert_eq!(Scenario::new(&[PUT, PUT], 1).evictions_with_holds(2).assert_holds(), 469_508);
}

#[test]
fn put_and_two_readers_with_two_evictions_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).evictions_with_holds(2).assert_holds(), 245_095);
}

#[test]
fn put_and_two_readers_with_eviction_and_cut_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).evictions(1).cuts(1).assert_holds(), 196_425);
}

#[test]
fn failure_and_put_with_cut_hold() {
    assert_eq!(Scenario::new(&[FAIL, PUT], 1).cuts(1).assert_holds(), 28_427);
}

#[test]
fn failure_and_invalidation_with_eviction_hold() {
    assert_eq!(Scenario::new(&[FAIL, INVALIDATE_A], 1).evictions_with_holds(1).assert_holds(), 64_832);
}

#[test]
fn failure_and_invalidation_and_two_readers_hold() {
    assert_eq!(Scenario::new(&[FAIL, INVALIDATE_A], 2).assert_holds(), 479_222);
}

#[test]
fn write_dropped_in_flight_with_eviction_holds() {
    assert_eq!(Scenario::new(&[DROP_IN_FLIGHT], 2).evictions(1).assert_holds(), 111_119);
}

#[test]
fn write_dropped_in_flight_and_put_hold() {
    assert_eq!(Scenario::new(&[DROP_IN_FLIGHT, PUT], 1).assert_holds(), 29_248);
}

#[test]
fn write_of_two_entities_and_put_with_cut_hold() {
    assert_eq!(Scenario::new(&[INVALIDATE_BOTH, PUT], 1).reads_both().cuts(1).assert_holds(), 101_805);
}

#[test]
fn write_of_two_entities_and_put_that_depends_hold() {
    assert_eq!(Scenario::new(&[INVALIDATE_BOTH, PUT_DEPENDS_ON_D], 1).reads_both().assert_holds(), 24_977);
}

#[test]
fn three_readers_that_share_hold() {
    assert_eq!(Scenario::new(&[INVALIDATE_A], 3).assert_holds(), 338_776);
}

#[test]
fn put_and_two_readers_with_restart_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).restarts(1).assert_holds(), 85_194);
}

#[test]
fn two_puts_with_restart_hold() {
    assert_eq!(Scenario::new(&[PUT, PUT], 1).restarts(1).assert_holds(), 307_848);
}

#[test]
fn put_and_write_of_dependency_with_cut_hold() {
    assert_eq!(Scenario::new(&[PUT, INVALIDATE_D], 1).reads_both().cuts(1).assert_holds(), 54_070);
}

#[test]
fn put_that_depends_and_write_of_dependency_with_cut_hold() {
    assert_eq!(
        Scenario::new(&[PUT_DEPENDS_ON_D, INVALIDATE_D], 1).reads_both().cuts(1).assert_holds(),
        48_247
    );
}

#[test]
fn put_that_depends_and_write_of_dependency_with_eviction_hold() {
    assert_eq!(
        Scenario::new(&[PUT_DEPENDS_ON_D, INVALIDATE_D], 1)
            .reads_both()
            .evictions_with_holds(1)
            .assert_holds(),
        138_413
    );
}

#[test]
fn write_of_dependency_and_two_readers_with_cut_and_eviction_hold() {
    assert_eq!(Scenario::new(&[INVALIDATE_D], 2).reads_both().cuts(1).evictions(1).assert_holds(), 221_692);
}

#[test]
fn durable_two_puts_with_cut_hold() {
    assert_eq!(Scenario::new(&[PUT, PUT], 1).delivery(Delivery::Durable).cuts(1).assert_holds(), 221_710);
}

#[test]
fn durable_put_and_two_readers_with_cut_and_crash_hold() {
    assert_eq!(
        Scenario::new(&[PUT], 2).delivery(Delivery::Durable).cuts(1).crashes(1).assert_holds(),
        67_795
    );
}

#[test]
fn tx_two_puts_with_crash_hold() {
    assert_eq!(Scenario::new(&[PUT, PUT], 1).delivery(Delivery::Tx).crashes(1).assert_holds(), 40_791);
}

#[test]
fn tx_put_and_two_readers_with_eviction_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).delivery(Delivery::Tx).evictions(1).assert_holds(), 104_267);
}

#[test]
fn tx_put_and_two_readers_with_cut_hold() {
    assert_eq!(Scenario::new(&[PUT], 2).delivery(Delivery::Tx).cuts(1).assert_holds(), 28_957);
}

#[test]
fn tx_put_that_depends_and_write_of_dependency_hold() {
    assert_eq!(
        Scenario::new(&[PUT_DEPENDS_ON_D, INVALIDATE_D], 1)
            .reads_both()
            .delivery(Delivery::Tx)
            .assert_holds(),
        36_275
    );
}

#[test]
fn tx_write_of_two_entities_and_put_hold() {
    assert_eq!(
        Scenario::new(&[INVALIDATE_BOTH, PUT], 1).reads_both().delivery(Delivery::Tx).assert_holds(),
        80_796
    );
}

/// The entry may stay old when the process dies, which is a documented limit. What is returned after an acknowledged write is not.
#[test]
fn key_of_result_with_crash_and_eviction_holds() {
    assert_eq!(
        Scenario::new(&[INVALIDATE_A], 2).key_of_result().reads_only().crashes(1).evictions(1).assert_holds(),
        13_966
    );
}
