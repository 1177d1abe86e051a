//! Handlers within other crates: axum, tonic, tower, actix-web, CloudEvents.
#![allow(missing_docs, reason = "tests")]

mod actix;
mod axum;
mod envelope;
mod tonic;
mod tower;
