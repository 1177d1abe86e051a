//! The options of a handler's steps: `Copy` data, which the attribute creates in a `const`.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::stored::is_default;
use crate::{
    code::Code,
    step::{Step, Steps},
};

/// The delivery mode: when the response is returned, relative to the steps.
///
/// ```
/// # use graceful::Delivery;
/// assert_eq!(Delivery::default(), Delivery::Inline);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// The response is returned after every step was tried, within its time budget. A crash loses the remaining steps.
    #[default]
    Inline,
    /// The response is returned at once. The steps run from a bounded queue, in order per entity. If the queue is full, the caller waits.
    Background,
    /// The response is returned when the flow is on disk. The steps run at least once, in order per entity, and are retried; after the last
    /// attempt the flow is a dead letter.
    ///
    /// A crash between the handler's own commit and that of the flow loses the flow, unless both are in one transaction: see the
    /// argument `tx`. If the store fails, the steps run once while the caller waits. This mode needs a store
    /// ([`OrchestratorBuilder::flows`](crate::OrchestratorBuilder::flows)). Without one `install()` fails, as does `build()` for
    /// the handlers that it checks; the manual path then behaves as if the store had failed.
    Durable,
}

impl Delivery {
    /// The word in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Background => "background",
            Self::Durable => "durable",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The action of the success arm of `cache`.
///
/// ```
/// # use graceful::options::OnOk;
/// assert_eq!(OnOk::default(), OnOk::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnOk {
    /// Put if there is a payload, otherwise invalidate.
    #[default]
    Auto,
    /// Put the payload.
    Put,
    /// Invalidate the key.
    Invalidate,
}

impl OnOk {
    /// The word in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Put => "put",
            Self::Invalidate => "invalidate",
        }
    }
}

impl fmt::Display for OnOk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The action of the error arm of `cache`.
///
/// ```
/// # use graceful::options::OnErr;
/// assert_eq!(OnErr::default(), OnErr::Auto);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnErr {
    /// Invalidate, unless the [code](Code::state_untouched) says that the state was not touched.
    #[default]
    Auto,
    /// Always invalidate.
    Always,
    /// Keep the cached value.
    Keep,
}

impl OnErr {
    /// The word in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Keep => "keep",
        }
    }
}

impl fmt::Display for OnErr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which errors fire an alert.
///
/// ```
/// # use graceful::options::AlertOn;
/// assert_eq!(AlertOn::default(), AlertOn::ServerFault);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertOn {
    /// Errors whose code [is a server fault](Code::is_server_fault).
    #[default]
    ServerFault,
    /// All errors.
    All,
}

impl AlertOn {
    /// The word in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServerFault => "server_fault",
            Self::All => "all",
        }
    }
}

impl fmt::Display for AlertOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The severity of an alert.
///
/// ```
/// # use graceful::Severity;
/// assert!(Severity::Critical > Severity::Warning);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information.
    Info,
    /// Look into it today.
    Warning,
    /// Look into it now.
    #[default]
    Error,
    /// Page the person on call.
    Critical,
}

impl Severity {
    /// The word in the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The hooks of one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hooked {
    /// Hooks that take the [`Flow`](crate::Flow), and borrow nothing from the caller.
    #[serde(skip_serializing_if = "is_default")]
    pub plain: Steps,
    /// Hooks that take the typed view, so they borrow the handler's result.
    #[serde(skip_serializing_if = "is_default")]
    pub typed: Steps,
}

/// The options of all steps of a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    #[serde(skip_serializing_if = "is_default")]
    pub delivery: Delivery,
    #[serde(skip_serializing_if = "is_default_ttl")]
    pub cache_ttl_ms: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub on_ok: OnOk,
    #[serde(skip_serializing_if = "is_default")]
    pub on_err: OnErr,
    #[serde(skip_serializing_if = "is_default")]
    pub last_good: bool,
    /// 0 means any age.
    #[serde(skip_serializing_if = "is_default")]
    pub last_good_max_age_ms: u64,
    #[serde(skip_serializing_if = "is_default_pause")]
    pub schedule_after_ms: u64,
    #[serde(skip_serializing_if = "is_default")]
    pub alert_on: AlertOn,
    #[serde(skip_serializing_if = "is_default")]
    pub severity: Severity,
    /// The audit record contains the payload.
    #[serde(skip_serializing_if = "is_default")]
    pub audit_payload: bool,
    #[serde(skip_serializing_if = "is_default")]
    pub off: Steps,
    #[serde(skip_serializing_if = "is_default")]
    pub required: Steps,
    #[serde(skip_serializing_if = "is_default")]
    pub on_success: Hooked,
    #[serde(skip_serializing_if = "is_default")]
    pub on_error: Hooked,
    /// 0 means the default of the delivery mode.
    #[serde(skip_serializing_if = "is_default")]
    pub timeouts_ms: [u32; 9],
}

const MINUTE_MS: u64 = 60_000;

/// The time to live of a cached value, unless another is set.
pub(crate) const DEFAULT_CACHE_TTL_MS: u64 = 10 * MINUTE_MS;

/// The time until a review job is due, unless another is set.
const DEFAULT_PAUSE_MS: u64 = 5 * MINUTE_MS;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`serde` calls it so")]
const fn is_default_ttl(ms: &u64) -> bool {
    *ms == DEFAULT_CACHE_TTL_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "`serde` calls it so")]
const fn is_default_pause(ms: &u64) -> bool {
    *ms == DEFAULT_PAUSE_MS
}

impl Options {
    pub const DEFAULT: Self = Self {
        delivery: Delivery::Inline,
        cache_ttl_ms: DEFAULT_CACHE_TTL_MS,
        on_ok: OnOk::Auto,
        on_err: OnErr::Auto,
        last_good: false,
        last_good_max_age_ms: 0,
        schedule_after_ms: DEFAULT_PAUSE_MS,
        alert_on: AlertOn::ServerFault,
        severity: Severity::Error,
        audit_payload: false,
        off: Steps::NONE,
        required: Steps::NONE,
        on_success: Hooked { plain: Steps::NONE, typed: Steps::NONE },
        on_error: Hooked { plain: Steps::NONE, typed: Steps::NONE },
        timeouts_ms: [0; 9],
    };

    /// The hooks of the arm that runs for an outcome.
    pub const fn hooked(&self, is_success: bool) -> Hooked {
        if is_success { self.on_success } else { self.on_error }
    }

    /// The time budget of `step`: its own, otherwise 1 s while a caller waits, and 30 s in the background.
    pub fn budget(&self, step: Step, caller_waits: bool) -> Duration {
        match (self.timeouts_ms[step as usize], caller_waits) {
            (0, true) => Duration::from_secs(1),
            (0, false) => Duration::from_secs(30),
            (ms, _) => Duration::from_millis(ms.into()),
        }
    }

    /// Whether an error of this code fires an alert.
    pub fn alerts(&self, code: Code) -> bool {
        match self.alert_on {
            AlertOn::ServerFault => code.is_server_fault(),
            AlertOn::All => true,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
