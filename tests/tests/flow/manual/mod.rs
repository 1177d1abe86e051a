//! The manual path has the same flows, steps and effects as the attribute.
#![allow(missing_docs, reason = "tests")]

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Duration,
};

use graceful::{
    Classify as _, Code, Delivery, Failure, Flow, Hook, OrchestrationConfig, Severity, Step, StepError,
    StepErrorKind, Success,
    options::{AlertOn, OnErr, OnOk},
    orchestrate,
};
use graceful_tests::{Gate, User, UserError, World, ada, hooks};
use serde_json::{Value, json};

mod report;
mod run_hooks;
mod the_same;
