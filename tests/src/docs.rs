//! The examples of the README and of the guide are tests here, where the backends are that they use.

#[doc = include_str!("../../README.md")]
pub struct Readme;

#[doc = include_str!("../../graceful/src/guide/getting_started.md")]
pub struct GettingStarted;

#[doc = include_str!("../../graceful/src/guide/steps.md")]
pub struct Steps;

#[doc = include_str!("../../graceful/src/guide/overriding.md")]
pub struct Overriding;

#[doc = include_str!("../../graceful/src/guide/errors.md")]
pub struct Errors;

#[doc = include_str!("../../graceful/src/guide/alerts.md")]
pub struct Alerts;

#[doc = include_str!("../../graceful/src/guide/delivery.md")]
pub struct Delivery;

#[doc = include_str!("../../graceful/src/guide/caching.md")]
pub struct Caching;

#[doc = include_str!("../../graceful/src/guide/idempotent.md")]
pub struct Idempotent;

#[doc = include_str!("../../graceful/src/guide/events.md")]
pub struct Events;

#[doc = include_str!("../../graceful/src/guide/contract.md")]
pub struct Contract;

#[doc = include_str!("../../graceful/src/guide/services.md")]
pub struct Services;

#[doc = include_str!("../../graceful/src/guide/testing.md")]
pub struct Testing;

#[doc = include_str!("../../graceful/src/guide/telemetry.md")]
pub struct Telemetry;

#[doc = include_str!("../../graceful/src/guide/distributed.md")]
pub struct Distributed;

#[doc = include_str!("../../graceful/src/guide/operating.md")]
pub struct Operating;

#[doc = include_str!("../../graceful/src/guide/security.md")]
pub struct Security;

#[doc = include_str!("../../graceful/src/guide/beside.md")]
pub struct Beside;

#[doc = include_str!("../../graceful/src/guide/from_go.md")]
pub struct FromGo;
