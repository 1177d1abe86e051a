//! Uses graceful as its users do.
