//! Nothing but its bench.
