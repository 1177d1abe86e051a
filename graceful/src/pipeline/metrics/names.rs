//! The names of the metrics, with their units and descriptions.
//!
//! A name ends with its unit, and that of a counter with `_total`, so that exporters that add both, as those of OpenTelemetry do, change
//! no name. For the same reason no gauge has the name of a counter without its `_total`.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const FLOWS: &str = "graceful_flows_total";
pub(super) const FLOW_DURATION: &str = "graceful_flow_duration_seconds";
pub(super) const STEPS: &str = "graceful_steps_total";
pub(super) const STEP_DURATION: &str = "graceful_step_duration_seconds";
pub(super) const DEAD_LETTERS: &str = "graceful_dead_letters_total";
pub(crate) const IDEMPOTENT: &str = "graceful_idempotent_calls_total";
pub(super) const STORE_UP: &str = "graceful_store_up";
pub(super) const QUEUED: &str = "graceful_flows_queued";
pub(super) const RUNNING: &str = "graceful_flows_running";
pub(super) const DEAD: &str = "graceful_flows_dead";
pub(super) const PAUSES: &str = "graceful_pauses";
pub(super) const OLDEST_DUE: &str = "graceful_oldest_due_seconds";
pub(super) const BACKGROUND: &str = "graceful_background_flows";
pub(super) const BACKGROUND_CAPACITY: &str = "graceful_background_capacity";
pub(super) const ATTEMPTS: &str = "graceful_attempts_running";
pub(super) const CIRCUIT_OPEN: &str = "graceful_circuit_open";
pub(super) const UNKNOWN_HANDLERS: &str = "graceful_unknown_handlers";
pub(super) const PARKED: &str = "graceful_subscriber_parked_events";
pub(super) const BEHIND: &str = "graceful_subscriber_lag_events";
pub(super) const UNENDED: &str = "graceful_cache_unended_writes";

/// Gives the recorder the units and descriptions.
pub(super) fn describe() {
    describe_counter!(
        FLOWS,
        "Flows that have ended, i.e. whose last step is done, by the outcome of the call."
    );
    describe_histogram!(
        FLOW_DURATION,
        Unit::Seconds,
        "The time from the end of the handler to the end of the flow's last step."
    );
    describe_counter!(STEPS, "Steps that have ended, by their outcome.");
    describe_histogram!(STEP_DURATION, Unit::Seconds, "The time that a step took.");
    describe_counter!(DEAD_LETTERS, "Durable flows that a relay of this process has moved to dead letters.");
    describe_counter!(IDEMPOTENT, "Calls of idempotent handlers with a key, by their result.");
    describe_counter!(
        crate::cache_stats::NAME,
        "Reads and writes of patterns that are read through the cache, by what happened."
    );
    describe_gauge!(STORE_UP, "Whether the durable store answered this process at the last sample.");
    describe_gauge!(
        QUEUED,
        "Durable flows in the store that are not done, up to 10,000; those that run are among them."
    );
    describe_gauge!(RUNNING, "Durable flows in the store that a relay of any process runs, up to 10,000.");
    describe_gauge!(DEAD, "Dead letters in the store, up to 10,000.");
    describe_gauge!(PAUSES, "What operators have paused in the store, by the kind of target.");
    describe_gauge!(
        OLDEST_DUE,
        Unit::Seconds,
        "For how long the oldest durable flow that a relay could claim has been due; 0 if there is none."
    );
    describe_gauge!(BACKGROUND, "Flows that run, or wait to run, in the background of this process.");
    describe_gauge!(BACKGROUND_CAPACITY, "The capacity of the background queue of this process.");
    describe_gauge!(ATTEMPTS, "Durable flows that the relay of this process runs now.");
    describe_gauge!(
        CIRCUIT_OPEN,
        "Whether calls of this process to a server are refused, because it is unavailable."
    );
    describe_gauge!(
        UNKNOWN_HANDLERS,
        "Handlers whose durable flows the relay of this process has left, within a minute, to processes that have them."
    );
    describe_gauge!(PARKED, "Parked events of a subscriber in the store.");
    describe_gauge!(
        BEHIND,
        "How many events the event log has after those that a subscriber has handled; also events for others."
    );
    describe_gauge!(UNENDED, "Writes of this process whose ends the cache has not confirmed.");
}
