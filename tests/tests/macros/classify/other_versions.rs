//! Types of a version that graceful does not know are warned of, once for each handler, and those of one that it knows are not.

#![allow(clippy::result_large_err, clippy::type_complexity, reason = "they are the types of other crates")]

use axum::Json;
use graceful::{Code, Orchestrator, orchestrate};
use graceful_tests::Log;
use http::StatusCode;

/// Not `Serialize`.
struct Opaque;

#[orchestrate(pattern = "user")]
fn http_0_2() -> Result<(), http_0_2::StatusCode> {
    Err(http_0_2::StatusCode::NOT_FOUND)
}

#[orchestrate(pattern = "user")]
fn http() -> Result<(), StatusCode> {
    Err(StatusCode::NOT_FOUND)
}

#[orchestrate(pattern = "user")]
fn axum_0_7() -> Result<axum_0_7::Json<u64>, Code> {
    Ok(axum_0_7::Json(1))
}

#[orchestrate(pattern = "user")]
fn axum_0_7_in_parts() -> Result<(StatusCode, axum_0_7::Json<u64>), Code> {
    Ok((StatusCode::OK, axum_0_7::Json(1)))
}

#[orchestrate(pattern = "user")]
fn tonic_0_12() -> Result<tonic_0_12::Response<u64>, tonic_0_12::Status> {
    Ok(tonic_0_12::Response::new(1))
}

#[orchestrate(pattern = "user")]
fn tonic_0_12_status() -> Result<tonic_0_12::Response<u64>, tonic_0_12::Status> {
    Err(tonic_0_12::Status::not_found("no user"))
}

#[orchestrate(pattern = "user")]
fn axum() -> Result<Json<Opaque>, Code> {
    Ok(Json(Opaque))
}

#[orchestrate(pattern = "user")]
fn axum_in_parts() -> Result<(StatusCode, [(&'static str, u64); 1], Json<Opaque>), Code> {
    Ok((StatusCode::OK, [("x-id", 1)], Json(Opaque)))
}

#[orchestrate(pattern = "user")]
fn axum_of_any<T>(value: T) -> Result<Json<T>, Code> {
    Ok(Json(value))
}

#[orchestrate(pattern = "user")]
fn tonic() -> Result<tonic::Response<Opaque>, tonic::Status> {
    Ok(tonic::Response::new(Opaque))
}

/// The warnings of each call, which is made three times.
fn warnings<R>(call: impl Fn() -> R) -> Vec<(tracing::Level, String, String)> {
    let (log, _listens) = Log::listen();
    let orchestrator = Orchestrator::in_memory();
    (0..3).for_each(|_| drop(orchestrator.sync_scope(&call)));
    let lines = log.of("graceful").into_iter().filter(|line| line.fields.contains_key("type"));
    lines.map(|line| (line.level, line.field("handler").to_owned(), line.field("type").to_owned())).collect()
}

#[test]
fn type_of_another_version_warns_once() {
    let warning = |handler: &str, of: &str| vec![(tracing::Level::WARN, handler.to_owned(), of.to_owned())];
    assert_eq!(warnings(http_0_2), warning("http_0_2", "http::status::StatusCode"));
    assert_eq!(warnings(axum_0_7), warning("axum_0_7", "axum::json::Json<u64>"));
    let in_parts = "(http::status::StatusCode, axum::json::Json<u64>)";
    assert_eq!(warnings(axum_0_7_in_parts), warning("axum_0_7_in_parts", in_parts));
    assert_eq!(warnings(tonic_0_12), warning("tonic_0_12", "tonic::response::Response<u64>"));
    assert_eq!(warnings(tonic_0_12_status), warning("tonic_0_12_status", "tonic::status::Status"));
}

#[test]
fn type_of_a_known_version_warns_never() {
    assert_eq!(warnings(http), []);
    assert_eq!(warnings(axum), []);
    assert_eq!(warnings(axum_in_parts), []);
    assert_eq!(warnings(|| axum_of_any(Opaque)), []);
    assert_eq!(warnings(tonic), []);
}
