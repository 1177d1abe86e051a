//! An orchestrator is configured by settings: each setting is used, and an error names the variable that is wrong.

mod environment;
mod secrets;
mod settings;
