//! The protocol of the read-through cache holds, needs each of its rules, and has the limits that are documented.
#![allow(missing_docs, reason = "tests")]

use graceful_tests_cache_protocol::{
    Write,
    state::{A, D},
};

mod limits;
mod rules;
mod scenarios;

const PUT: Write = Write::put();
const PUT_DEPENDS_ON_D: Write = Write::put_depends_on_d();
const INVALIDATE_A: Write = Write::invalidate(&[A]);
const INVALIDATE_D: Write = Write::invalidate(&[D]);
const INVALIDATE_BOTH: Write = Write::invalidate(&[A, D]);
const FAIL: Write = Write::fail();
const DROP_IN_FLIGHT: Write = Write::drop_in_flight();
