//! An orchestrator by configuration: what it says is used, and what is wrong with it is told by its variable.

mod environment;
mod secrets;
mod settings;
