//! Warns about framework types of an unsupported version: an error of such a type counts as unclassified, and a value has no payload.

use std::{any::type_name, collections::BTreeSet, sync::Mutex};

use super::FlowBuilder;
use crate::locks::unpoisoned;

/// The start of a type's name, the feature that supports one version of the type, and that version.
type Known = (&'static str, &'static str, &'static str);

const ERRORS: &[Known] = &[
    ("(http::status::StatusCode,", "http", "http 1"),
    ("actix_web::error::error::Error", "actix-web", "actix-web 4"),
    ("anyhow::Error", "anyhow", "anyhow 1"),
    ("eyre::Report", "eyre", "eyre 0.6"),
    ("http::response::Response<", "http", "http 1"),
    ("http::status::StatusCode", "http", "http 1"),
    ("sqlx_core::error::Error", "sqlx", "sqlx 0.9"),
    ("tonic::status::Status", "tonic", "tonic 0.14"),
];

const VALUES: &[Known] =
    &[("axum::json::Json<", "axum", "axum 0.8"), ("tonic::response::Response<", "tonic", "tonic 0.14")];

/// Warns if an error that is not classified is of such a type.
pub(super) fn error<E: ?Sized>(builder: &FlowBuilder<'_>) {
    if let Some(known) = ERRORS.iter().find(|known| type_name::<E>().starts_with(known.0)) {
        warn_once(
            builder,
            type_name::<E>(),
            known,
            "this error is not classified, so it counts as `Internal`",
        );
    }
}

/// Warns if an `Ok` value without a payload is of such a type.
pub(super) fn value<T: ?Sized>(builder: &FlowBuilder<'_>) {
    let name = type_name::<T>();
    let is_of =
        |known: &&Known| name.starts_with(known.0) || (name.starts_with('(') && name.contains(known.0));
    if let Some(known) = VALUES.iter().find(is_of) {
        warn_once(
            builder,
            name,
            known,
            "this value is not unwrapped, so there is no payload and `Ok` invalidates the cache key",
        );
    }
}

/// Logs a warning once per handler, when it first returns such a type.
fn warn_once(builder: &FlowBuilder<'_>, name: &'static str, (_, feature, version): &Known, meaning: &str) {
    static WARNED: Mutex<BTreeSet<(String, &str)>> = Mutex::new(BTreeSet::new());
    let (handler, pattern) = (builder.flow.handler(), builder.flow.pattern());
    let is_new = unpoisoned(WARNED.lock()).insert((format!("{pattern} {handler}"), name));
    if is_new {
        tracing::warn!(
            target: "graceful",
            handler,
            r#type = name,
            "{meaning}: use {version}, and enable the feature `{feature}`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names are those that the compiler prints for axum 0.7, tonic 0.12 and http 0.2.
    #[test]
    fn types_of_other_versions_are_known_by_name() {
        let is_known = |list: &[Known], name: &str| list.iter().any(|known| name.starts_with(known.0));
        for error in [
            "tonic::status::Status",
            "http::status::StatusCode",
            "(http::status::StatusCode, alloc::string::String)",
        ] {
            assert!(is_known(ERRORS, error), "{error}");
        }
        assert!(is_known(VALUES, "axum::json::Json<users::User>"));
        assert!(is_known(VALUES, "tonic::response::Response<users::User>"));
        assert!(!is_known(VALUES, "http::response::Response<axum_core::body::Body>"));
    }
}
