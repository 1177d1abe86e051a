//! A flow from the handler's result to the last step: steps, outcomes, deliveries, settings, telemetry, and the recorder.
#![allow(missing_docs, reason = "tests")]

mod config;
mod delivery;
mod durable;
mod health;
mod idempotent;
mod manual;
mod outcomes;
mod read_through;
mod recorder;
mod steps;
mod telemetry;
