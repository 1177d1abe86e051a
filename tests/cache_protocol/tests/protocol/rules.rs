//! Each rule is needed: the scenario holds with all rules, and without this one something is stale.

use graceful_tests_cache_protocol::{
    Delivery, Rule, Scenario,
    Violation::{self, StaleEntry, StaleRead},
};

use super::{DROP_IN_FLIGHT, FAIL, INVALIDATE_A, INVALIDATE_D, PUT, PUT_DEPENDS_ON_D};

/// One test for each rule. A rule without a test is a compile error.
macro_rules! needed {
    ($($test:ident: $rule:ident, $scenario:expr, $violation:expr, $actions:expr;)*) => {
        $(
            #[test]
            fn $test() {
                check(Rule::$rule, $scenario, $violation, $actions);
            }
        )*

        const _: fn(Rule) = |rule| match rule {
            $(Rule::$rule => (),)*
        };
    };
}

fn check(rule: Rule, scenario: Scenario, violation: Violation, actions: usize) {
    scenario.clone().assert_holds();
    scenario.without(rule).assert_violated(violation, actions);
}

needed! {
    without_hold_put_with_cut_is_violated: Hold,
        Scenario::new(&[PUT], 1).cuts(1), StaleRead, 7;
    without_strict_invalidation_with_two_cuts_is_violated: Strict,
        Scenario::new(&[INVALIDATE_A], 1).cuts(2), StaleRead, 8;
    without_renew_invalidation_and_two_readers_with_cut_is_violated: Renew,
        Scenario::new(&[INVALIDATE_A], 2).cuts(1), StaleRead, 15;
    without_clean_two_puts_with_cut_are_violated: Clean,
        Scenario::new(&[PUT, PUT], 1).cuts(1), StaleRead, 16;
    without_put_cas_two_puts_are_violated: PutCas,
        Scenario::new(&[PUT, PUT], 1), StaleEntry, 14;
    without_fresh_end_invalidation_and_two_readers_with_two_evictions_are_violated: FreshEnd,
        Scenario::new(&[INVALIDATE_A], 2).evictions_with_holds(2), StaleEntry, 14;
    without_fill_cas_invalidation_and_two_readers_with_eviction_are_violated: FillCas,
        Scenario::new(&[INVALIDATE_A], 2).evictions(1), StaleEntry, 14;
    without_fill_no_hold_invalidation_and_two_readers_with_cut_are_violated: FillNoHold,
        Scenario::new(&[INVALIDATE_A], 2).cuts(1), StaleRead, 14;
    without_share_marks_invalidation_and_two_readers_are_violated: ShareMarks,
        Scenario::new(&[INVALIDATE_A], 2), StaleRead, 14;
    without_unknown_write_dropped_in_flight_is_violated: Unknown,
        Scenario::new(&[DROP_IN_FLIGHT], 2), StaleEntry, 12;
    without_late_drops_tx_put_that_depends_and_write_of_dependency_are_violated: LateDrops,
        Scenario::new(&[PUT_DEPENDS_ON_D, INVALIDATE_D], 1).reads_both().delivery(Delivery::Tx), StaleEntry, 13;
    without_all_marks_put_and_write_of_dependency_are_violated: AllMarks,
        Scenario::new(&[PUT, INVALIDATE_D], 1).reads_both(), StaleEntry, 14;
    without_restore_cas_failure_and_invalidation_are_violated: RestoreCas,
        Scenario::new(&[FAIL, INVALIDATE_A], 1), StaleEntry, 14;
    without_incarnation_put_with_restart_is_violated: Incarnation,
        Scenario::new(&[PUT], 1).restarts(1), StaleEntry, 9;
}
