//! Handlers within other crates: axum, tonic, tower, actix-web, sqlx, CloudEvents.
#![allow(missing_docs, reason = "tests")]

mod actix;
mod axum;
mod envelope;
mod sqlx_errors;
mod tonic;
mod tower;
