//! The scripts, and the commands that call them.

use std::{sync::LazyLock, time::Duration};

use ::redis::Script;
use graceful::backends::{IdempotentAnswer, IdempotentCall, StoredAnswer};

use super::row;
use crate::{
    cache::{FOR_EVER, millis},
    command::{Command, Sending},
};

/// Defines a script of this folder, with what all of them share before it.
macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!(include_str!("common.lua"), include_str!($file))));)*
    };
}

scripts! {
    ANSWER = "answer.lua";
    CLAIM = "claim.lua";
    RELEASE = "release.lua";
    RENEW = "renew.lua";
}

pub(super) fn claim(call: &IdempotentCall, lease: Duration, sending: Sending) -> Command {
    let request = call.request.map(|request| request.as_bytes().to_vec()).unwrap_or_default();
    let sending = match sending {
        Sending::First => "first",
        Sending::Again => "again",
    };
    command(&CLAIM, call, [request, time(lease), sending.into()])
}

pub(super) fn answer(answer: &IdempotentAnswer) -> Command {
    let (state, bytes) = match &answer.answer {
        StoredAnswer::Value(value) => (row::VALUE, value.as_bytes()),
        StoredAnswer::NotStorable => (row::NOT_STORABLE, [].as_slice()),
    };
    command(&ANSWER, &answer.call, [state.into(), time(answer.window), bytes.to_vec()])
}

pub(super) fn release(call: &IdempotentCall) -> Command {
    command(&RELEASE, call, [])
}

pub(super) fn renew(call: &IdempotentCall, lease: Duration) -> Command {
    command(&RENEW, call, [time(lease)])
}

fn command<const N: usize>(
    script: &'static Script,
    call: &IdempotentCall,
    arguments: [Vec<u8>; N],
) -> Command {
    // The name of a key of the cache contains a `:` before its first `/`, so none of these is the cache's.
    let keys = call.names.iter().map(|name| format!("graceful:idempotent/{name}")).collect();
    let token = call.token.to_string().into_bytes();
    Command::Script { script, keys, arguments: [token].into_iter().chain(arguments).collect() }
}

/// In milliseconds. The server deletes what has no time, and cannot count a longer one.
fn time(time: Duration) -> Vec<u8> {
    millis(time).clamp(1, FOR_EVER).to_string().into_bytes()
}
