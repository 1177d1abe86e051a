//! The package of the examples: see `examples/`.
