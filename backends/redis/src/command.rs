//! What is sent to the server, a command or a script, and what comes back.

use std::sync::Arc;

use ::redis::{Cmd, FromRedisValue, RedisResult, Script, aio::MultiplexedConnection};

use super::process::Process;

/// A command to the server.
pub(super) enum Command {
    /// Shared by its sendings.
    Plain(Arc<Cmd>),
    /// The client sends a script by its hash, and as a whole if the server does not know it.
    Script { script: &'static Script, keys: Vec<String>, arguments: Vec<Vec<u8>> },
}

impl Command {
    pub(super) async fn sent<T: FromRedisValue>(&self, to: &mut MultiplexedConnection) -> RedisResult<T> {
        match self {
            Self::Plain(command) => command.query_async(to).await,
            Self::Script { script, keys, arguments } => {
                script.key(keys).arg(arguments).invoke_async(to).await
            }
        }
    }
}

/// How often a command was sent before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    First,
    /// On another connection: the first was lost, and it is unknown whether the server has run the command.
    Again,
}

/// Which calls the circuit breaker lets through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Admission {
    /// None while it is open.
    WhileClosed,
    /// This one in any case.
    Always,
}

/// The reply to a command, the process that gave it, and what the client has to know about what it sent.
pub(super) struct Answer<T, S> {
    pub(super) reply: T,
    pub(super) process: Process,
    pub(super) sent: S,
}
