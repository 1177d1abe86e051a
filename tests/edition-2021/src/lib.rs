//! Nothing of its own: the tests of `graceful-tests`, compiled in edition 2021.
