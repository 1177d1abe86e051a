//! What tonic's generator, `tonic-prost-build`, makes of `users.proto`: kept, so that a build needs no `protoc`.
#![allow(missing_docs, missing_debug_implementations, clippy::all, clippy::pedantic, reason = "generated")]

include!("users.v1.rs");
