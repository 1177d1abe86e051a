//! The values of arguments: durations.

use std::time::Duration;

use darling::Result;
use syn::Expr;

use super::value::{At, text};
use crate::errors::{suggestion, wrong};

/// A span of time in milliseconds, at least one.
pub(crate) fn millis(value: &Expr, example: &str) -> Result<At<u64>> {
    let help = format!("write a number and a unit in quotes, as in `{example}`");
    let text = text(value).ok_or_else(|| wrong(value, format!("expected a duration: {help}")))?;
    let given = text.value();
    let too_long = || wrong(text, format!("\"{given}\" is too long for a duration"));
    let duration = humantime::parse_duration(&given).map_err(|error| {
        let rule = match error {
            humantime::DurationError::NumberOverflow => return too_long(),
            humantime::DurationError::UnknownUnit { unit, .. } if unit.is_empty() => {
                format!("\"{given}\" has no unit: {help}")
            }
            humantime::DurationError::UnknownUnit { unit, .. } => {
                let fix = suggestion(&unit, &UNITS).unwrap_or_else(|| help.clone());
                format!("unknown unit `{unit}`: {fix}")
            }
            _ => format!("\"{given}\" is not a duration: {help}"),
        };
        wrong(text, rule)
    })?;
    if duration < Duration::from_millis(1) {
        return Err(wrong(text, format!("a duration is at least one millisecond: {help}")));
    }
    let value = u64::try_from(duration.as_millis()).map_err(|_| too_long())?;
    Ok(At { value, span: text.span() })
}

const UNITS: [&str; 13] = [
    "milliseconds",
    "seconds",
    "minutes",
    "hours",
    "days",
    "weeks",
    "months",
    "years",
    "millis",
    "msec",
    "sec",
    "min",
    "day",
];
