//! The filter of queries and actions, and its text form.

use std::fmt;

use jiff::Timestamp;

use super::{FlowState, FlowSummary, GroupId};
use crate::{
    backends::traits::query::{FilterError, Moment, TextForm, invalid, is_between, moment, parsed},
    code::Code,
    key::Part,
    step::Step,
};

/// Selects stored flows. An empty filter selects all.
///
/// ```
/// use graceful::backends::{FlowFilter, FlowState};
///
/// let mut filter = FlowFilter::from(FlowState::Dead);
/// filter.handler = Some("users::update_user".to_owned());
/// assert_eq!(filter.to_string(), "state=dead handler=users::update_user");
/// assert_eq!(FlowFilter::parse(filter.pairs())?, filter);
/// # Ok::<(), graceful::backends::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowFilter {
    /// The state.
    pub state: Option<FlowState>,
    /// The handler's identity.
    pub handler: Option<String>,
    /// The entity's full name.
    pub entity: Option<String>,
    /// The tenant; empty for the flows without a tenant.
    pub tenant: Option<String>,
    /// The pattern.
    pub pattern: Option<String>,
    /// The code of the handler's outcome, of flows whose last attempt failed.
    pub code: Option<Code>,
    /// The step that failed in the last attempt.
    pub step: Option<Step>,
    /// The group of the last failure.
    pub group: Option<GroupId>,
    /// A part of the text of the last failure. Upper and lower case differ.
    pub text: Option<String>,
    /// Selects flows that were stored at this time or later.
    pub since: Option<Moment>,
    /// Selects flows that were stored before this time.
    pub until: Option<Moment>,
}

impl From<FlowState> for FlowFilter {
    fn from(state: FlowState) -> Self {
        Self { state: Some(state), ..Self::default() }
    }
}

impl FlowFilter {
    /// The keys of the text form.
    pub const KEYS: [&'static str; 11] = [
        "state", "handler", "entity", "tenant", "pattern", "code", "step", "group", "text", "since", "until",
    ];

    /// Parses keys and values, e.g. of a URL or a command line. A time is RFC 3339 (`2026-01-31T10:00:00Z`) or a duration before now (`2h`,
    /// `7d`).
    ///
    /// # Errors
    /// Fails for a key that is unknown or repeated, and for a value that is empty or malformed. So a mistake never selects more flows. Only
    /// `tenant` may be empty.
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, FilterError> {
        Self::parsed(pairs)
    }

    /// The keys and values that [`parse`](Self::parse) reads.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        self.named()
    }

    /// The states that the filter can select. A completed flow has no failure.
    pub fn states(&self) -> Vec<FlowState> {
        let of_failures =
            self.code.is_some() || self.step.is_some() || self.group.is_some() || self.text.is_some();
        let can_be = |state: &FlowState| {
            self.state.is_none_or(|only| only == *state) && !(of_failures && *state == FlowState::Completed)
        };
        FlowState::ALL.into_iter().filter(can_be).collect()
    }

    /// The second part of the full names of the tenant's entities.
    pub fn tenant_part(&self) -> Option<String> {
        self.tenant.as_deref().map(|tenant| Part(tenant).to_string())
    }

    /// The third part of the full names of the pattern's entities.
    pub fn pattern_part(&self) -> Option<String> {
        self.pattern.as_deref().map(|pattern| Part(pattern).to_string())
    }

    /// Whether the filter selects a flow, at this time by the store's clock.
    ///
    /// ```
    /// use graceful::backends::{FlowFilter, FlowState, FlowSummary, Timestamp, Uuid};
    ///
    /// let (id, now) = (Uuid::nil(), Timestamp::UNIX_EPOCH);
    /// let flow = FlowSummary::new(id, "users:acme:user:42", "users::update_user", FlowState::Queued, now);
    /// assert!(FlowFilter::parse([("tenant", "acme"), ("pattern", "user")])?.selects(&flow, now));
    /// assert!(!FlowFilter::from(FlowState::Dead).selects(&flow, now));
    /// # Ok::<(), graceful::backends::FilterError>(())
    /// ```
    pub fn selects(&self, flow: &FlowSummary, now: Timestamp) -> bool {
        let is = |wanted: Option<&str>, part: Option<&str>| wanted.is_none_or(|wanted| part == Some(wanted));
        let cause = flow.failure.as_ref();
        let part = |number| flow.entity.split(':').nth(number);
        self.state.is_none_or(|state| flow.state == state)
            && is(self.handler.as_deref(), Some(&flow.handler))
            && is(self.entity.as_deref(), Some(&flow.entity))
            && is(self.tenant_part().as_deref(), part(1))
            && is(self.pattern_part().as_deref(), part(2))
            && self.code.is_none_or(|code| cause.is_some_and(|cause| cause.code == Some(code)))
            && self.step.is_none_or(|step| cause.is_some_and(|cause| cause.step == Some(step)))
            && self.group.is_none_or(|group| cause.is_some_and(|cause| cause.group == group))
            && self.text.as_deref().is_none_or(|text| cause.is_some_and(|cause| cause.error.contains(text)))
            && is_between(flow.stored_at, self.since, self.until, now)
    }
}

impl TextForm for FlowFilter {
    const NAMES: &'static [&'static str] = &Self::KEYS;
    const MAY_BE_EMPTY: &'static [&'static str] = &["tenant"];

    fn values(&self) -> Vec<Option<String>> {
        fn shown<T: ToString>(value: Option<&T>) -> Option<String> {
            value.map(ToString::to_string)
        }
        vec![
            shown(self.state.as_ref()),
            self.handler.clone(),
            self.entity.clone(),
            self.tenant.clone(),
            self.pattern.clone(),
            shown(self.code.as_ref()),
            self.step.map(|step| step.as_str().to_owned()),
            shown(self.group.as_ref()),
            self.text.clone(),
            shown(self.since.as_ref()),
            shown(self.until.as_ref()),
        ]
    }

    fn assign(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "state" => self.state = Some(parsed(key, value)?),
            "handler" => self.handler = Some(value.to_owned()),
            "entity" => self.entity = Some(value.to_owned()),
            "tenant" => self.tenant = Some(value.to_owned()),
            "pattern" => self.pattern = Some(value.to_owned()),
            "code" => {
                let code = value.parse().ok();
                let expected = "expected a code such as `NOT_FOUND`";
                self.code = Some(code.ok_or_else(|| invalid(key, value, expected))?);
            }
            "step" => {
                let step = Step::ALL.into_iter().find(|step| step.as_str() == value);
                let steps = || format!("expected one of {}", Step::ALL.map(Step::as_str).join(", "));
                self.step = Some(step.ok_or_else(|| invalid(key, value, steps()))?);
            }
            "group" => self.group = Some(parsed(key, value)?),
            "text" => self.text = Some(value.to_owned()),
            "since" => self.since = Some(moment(key, value)?),
            _ => self.until = Some(moment(key, value)?),
        }
        Ok(())
    }
}

impl fmt::Display for FlowFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f)
    }
}
