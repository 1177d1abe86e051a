//! Calls over the shared connection: each has a timeout, and tells the circuit breaker how it ended.

use std::time::Duration;

use ::redis::{FromRedisValue, RedisError, RedisResult};
use graceful::{StepError, Text};
use tokio::time::timeout;

use super::{Connection, Shared, Used, is_unavailable};
use crate::{
    command::{Admission, Answer, Command, Sending},
    durability::Loss,
    process::Process,
};

impl Connection {
    /// Runs a command with a timeout. Sends it `again` on a new connection if the current one is lost, and fails at once while the circuit breaker
    /// is open, and where the server may forget what it acknowledges.
    pub(crate) async fn ask<T: FromRedisValue>(
        &self,
        admission: Admission,
        within: Duration,
        command: &Command,
        again: &Command,
    ) -> Result<RedisResult<T>, StepError> {
        let used = Used::default();
        let once = async |command: &Command| {
            let Shared { mut connection, told, .. } = match self.loss {
                Loss::Allowed => self.connected(&used).await?,
                Loss::Refused => self.known(&used).await?,
            };
            match told.losses {
                None => command.sent(&mut connection).await.map(Ok),
                Some(why) => Ok(Err(why)),
            }
        };
        let work = async {
            match once(command).await {
                Err(error) if self.is_lost(&error, &used) => once(again).await,
                answer => answer,
            }
        };
        match self.guarded(admission, within, &used, work).await? {
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(why)) => Err(self.refused_because(&why)),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Why the server may forget what it acknowledges, as far as it has told.
    pub(crate) fn losses(&self) -> Option<Text> {
        let why = self.live().told.as_ref()?.losses.clone()?;
        Some(Text::from(format_args!("{} {why}", self.place())))
    }

    fn refused_because(&self, why: &str) -> StepError {
        StepError::new(format_args!("{} {why}", self.place()))
    }

    /// Runs a command that is made for the process at the other end of the connection, which is known for at most a second. The
    /// command is made anew when it is sent again. Without a command nothing is sent: the first time this is no failure.
    pub(crate) async fn ask_process<T: FromRedisValue, S>(
        &self,
        admission: Admission,
        within: Duration,
        command: impl Fn(&Process, Sending) -> Option<(Command, S)>,
    ) -> Result<RedisResult<Option<Answer<T, S>>>, StepError> {
        let used = Used::default();
        let once = async |sending| {
            let Shared { mut connection, told, .. } = self.known(&used).await?;
            let process = match told.process {
                Ok(process) => process,
                Err(why) => return Ok(Err(why)),
            };
            let Some((command, sent)) = command(&process, sending) else { return Ok(Ok(None)) };
            let reply = command.sent(&mut connection).await?;
            Ok(Ok(Some(Answer { reply, process, sent })))
        };
        let work = async {
            match once(Sending::First).await {
                Err(error) if self.is_lost(&error, &used) => match once(Sending::Again).await {
                    Ok(Ok(None)) => Err(error),
                    answer => answer,
                },
                answer => answer,
            }
        };
        match self.guarded(admission, within, &used, work).await? {
            Ok(Ok(answer)) => Ok(Ok(answer)),
            Ok(Err(why)) => Err(StepError::new(self.unfit_because(&why))),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Why handlers cannot read through the server, as far as it has told.
    pub(crate) fn unfit(&self) -> Option<Text> {
        let why = self.live().told.as_ref()?.process.as_ref().err().cloned()?;
        Some(self.unfit_because(&why))
    }

    fn unfit_because(&self, why: &str) -> Text {
        Text::from(format_args!("handlers cannot read through {}: {why}", self.place()))
    }

    /// Whether a call failed because its connection is lost, which is dropped then.
    fn is_lost(&self, error: &RedisError, used: &Used) -> bool {
        let is_lost = error.is_connection_dropped() && used.get() != 0;
        if is_lost {
            self.forget(used);
        }
        is_lost
    }

    /// Limits the time of a call, and tells the circuit breaker how it ended.
    async fn guarded<T>(
        &self,
        admission: Admission,
        within: Duration,
        used: &Used,
        work: impl Future<Output = RedisResult<T>>,
    ) -> Result<RedisResult<T>, StepError> {
        let attempt = match admission {
            Admission::WhileClosed => self.breaker.admit()?,
            Admission::Always => self.breaker.attempt(),
        };
        match timeout(within, work).await {
            Ok(Ok(answer)) => {
                attempt.succeeded();
                Ok(Ok(answer))
            }
            Ok(Err(error)) if !is_unavailable(&error) => {
                attempt.succeeded();
                Ok(Err(error))
            }
            Ok(Err(error)) => {
                attempt.failed();
                self.forget(used);
                Err(self.unavailable(&error.to_string()))
            }
            Err(_) => {
                attempt.failed();
                // A connection that does not answer is as good as lost.
                self.forget(used);
                Err(self.unavailable(&format!("no answer within {within:?}")))
            }
        }
    }

    fn unavailable(&self, why: &str) -> StepError {
        StepError::new(format_args!("{}: {why}", self.place()))
    }
}
