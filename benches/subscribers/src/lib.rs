//! The library is empty; the package contains a bench.
