//! Conditions on the rows of a query.

use graceful::backends::Moment;
use sqlx::QueryBuilder;

use crate::{
    dialect::{Dialect, Tables, Value},
    values::{length, micros},
};

/// A condition on the rows of the ranges: a value, between two pieces of SQL.
pub(crate) struct Condition {
    pub before: String,
    pub value: String,
    pub after: &'static str,
}

impl<D: Dialect> Tables<D>
where
    for<'v> String: Value<'v, D>,
    for<'v> i64: Value<'v, D>,
{
    /// Appends the conditions on a column with a time.
    pub(crate) fn push_times(
        query: &mut QueryBuilder<D::Database>,
        column: &str,
        since: Option<Moment>,
        until: Option<Moment>,
    ) {
        for (sign, moment) in [(">=", since), ("<", until)] {
            match moment {
                None => continue,
                Some(Moment::At(at)) => {
                    query.push(format_args!(" AND {column} {sign} ")).push_bind(micros(at))
                }
                Some(Moment::Ago(time)) => {
                    query.push(format_args!(" AND {column} {sign} {} - ", D::NOW)).push_bind(length(time))
                }
            };
        }
    }

    /// Appends the conditions, each behind `AND`.
    pub(crate) fn push_conditions(query: &mut QueryBuilder<D::Database>, conditions: &[Condition]) {
        for Condition { before, value, after } in conditions {
            query.push(format_args!(" AND {before}")).push_bind(value.clone()).push(after);
        }
    }
}
