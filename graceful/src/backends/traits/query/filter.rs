//! The text form of filters, and the times in it.

use std::{fmt, str::FromStr, time::Duration};

use jiff::{SpanRelativeTo, Timestamp, Unit};

/// A time: a point, or a duration before now by the store's clock.
///
/// ```
/// use std::time::Duration;
/// use graceful::backends::{FlowFilter, Moment};
///
/// let filter = FlowFilter::parse([("since", "2h")])?;
/// assert_eq!(filter.since, Some(Moment::Ago(Duration::from_secs(7200))));
/// # Ok::<(), graceful::backends::FilterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A point in time.
    At(Timestamp),
    /// This long before now.
    Ago(Duration),
}

impl Moment {
    /// The point in time, at this time by the store's clock.
    ///
    /// ```
    /// use std::time::Duration;
    /// use graceful::backends::{Moment, Timestamp};
    /// let now: Timestamp = "2026-01-01T00:00:10Z".parse()?;
    /// assert_eq!(Moment::Ago(Duration::from_secs(10)).at(now).to_string(), "2026-01-01T00:00:00Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(time) => now.checked_sub(time).unwrap_or(Timestamp::MIN),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse() {
            return Some(Self::At(at));
        }
        let span: jiff::Span = text.parse().ok()?;
        let seconds = span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?;
        Duration::try_from_secs_f64(seconds).ok().map(Self::Ago)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => at.fmt(f),
            Self::Ago(time) => write!(f, "{}s", time.as_secs_f64()),
        }
    }
}

/// The error of a filter's text. Its `Display` names the key, and what is expected.
///
/// ```
/// use graceful::backends::FlowFilter;
/// let error = FlowFilter::parse([("handlr", "pay")]).unwrap_err();
/// assert_eq!(error.to_string(), "`handlr` is not a filter; did you mean `handler`?");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterError(String);

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FilterError {}

/// What all filters share: keys and values as text.
pub(in crate::backends::traits) trait TextForm: Default {
    /// The keys.
    const NAMES: &'static [&'static str];

    /// The keys whose value may be empty.
    const MAY_BE_EMPTY: &'static [&'static str] = &[];

    /// The value of each key, in the order of the keys.
    fn values(&self) -> Vec<Option<String>>;

    /// Sets the value of a known key.
    fn assign(&mut self, key: &str, value: &str) -> Result<(), String>;

    fn named(&self) -> Vec<(&'static str, String)> {
        let pairs = Self::NAMES.iter().copied().zip(self.values());
        pairs.filter_map(|(key, value)| Some((key, value?))).collect()
    }

    fn parsed<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        for (key, value) in pairs {
            filter.set(key.as_ref(), value.as_ref()).map_err(FilterError)?;
        }
        Ok(filter)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        if !Self::NAMES.contains(&key) {
            let near = Self::NAMES.iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
            let near = near.filter(|known| strsim::damerau_levenshtein(known, key) <= 2);
            return Err(match near {
                Some(near) => format!("`{key}` is not a filter; did you mean `{near}`?"),
                None => format!("`{key}` is not a filter; the filters are {}", Self::NAMES.join(", ")),
            });
        }
        if value.is_empty() && !Self::MAY_BE_EMPTY.contains(&key) {
            return Err(format!("the filter `{key}` has no value"));
        }
        if self.named().iter().any(|(known, _)| *known == key) {
            return Err(format!("the filter `{key}` is given twice"));
        }
        self.assign(key, value)
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, value)) in self.named().into_iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            write!(f, "{space}{key}={value}")?;
        }
        Ok(())
    }
}

/// The error of a value that is not valid.
pub(in crate::backends::traits) fn invalid(key: &str, value: &str, expected: impl fmt::Display) -> String {
    format!("{key}: `{value}` is not valid; {expected}")
}

/// Parses the time of the key `since` or `until`.
pub(in crate::backends::traits) fn moment(key: &str, value: &str) -> Result<Moment, String> {
    Moment::parse(value).ok_or_else(|| invalid(key, value, "expected `2026-01-31T10:00:00Z` or `2h`"))
}

/// Parses a value whose error says what is expected.
pub(in crate::backends::traits) fn parsed<T: FromStr<Err: fmt::Display>>(
    key: &str,
    value: &str,
) -> Result<T, String> {
    value.parse().map_err(|error| invalid(key, value, error))
}

/// Whether a time is between two others, at this time by the store's clock, in whole microseconds as in the tables of stores.
pub(in crate::backends::traits) fn is_between(
    at: Timestamp,
    since: Option<Moment>,
    until: Option<Moment>,
    now: Timestamp,
) -> bool {
    let at = at.as_microsecond();
    since.is_none_or(|since| at >= since.at(now).as_microsecond())
        && until.is_none_or(|until| at < until.at(now).as_microsecond())
}
