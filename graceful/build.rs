//! Two versions of `graceful` in one program would know different handlers. Cargo refuses two packages with the same `links`, which needs a
//! build script.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
