//! The library is empty; the package contains benches.
