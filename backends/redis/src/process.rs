//! Which process of the server is at the other end of a connection, and what time it has.

use std::time::{Duration, Instant};

use ::redis::{ErrorKind, FromRedisValue, RedisError, RedisResult, Value, aio::MultiplexedConnection};
use graceful::{Text, backends::Incarnation};
use xxhash_rust::xxh3::xxh3_64;

use super::durability::{self, Loss};

/// For how long it is believed that a connection still leads to the same process. A proxy can connect to another one behind it, and a
/// primary can become a replica, without an end of the connection.
const BELIEVED_FOR: Duration = Duration::from_secs(1);

/// What a server told about itself.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// When it was asked.
    asked: Instant,
    /// Its process, or why handlers cannot read through it and what to do.
    pub(super) process: Result<Process, Text>,
    /// Why it may forget what it acknowledges and what to do, if it was asked.
    pub(super) losses: Option<Text>,
}

/// A process of the server that takes writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) incarnation: Incarnation,
    /// The time of the server, in milliseconds, when it was asked.
    time: u64,
    asked: Instant,
    /// When this client first saw this incarnation. The server does not tell since when it is a primary.
    since: Instant,
}

impl Told {
    /// Asks the server. `before` is what the last connection led to.
    pub(super) async fn ask(
        connection: &mut MultiplexedConnection,
        before: Option<&Self>,
        loss: Loss,
    ) -> RedisResult<Self> {
        // Counted from before the question, ages are too high by the way to the server at most, and never too low.
        let asked = Instant::now();
        // Two sections, since all of them cost the server ten times as much.
        let mut question = ::redis::pipe();
        question.cmd("INFO").arg("server").cmd("INFO").arg("replication").cmd("TIME").ignore_errors();
        if loss == Loss::Refused {
            durability::ask(&mut question);
        }
        let answers: Vec<RedisResult<Value>> = question.query_async(connection).await?;
        let losses = match (loss, &*answers) {
            (Loss::Refused, [_, replication, _, settings @ ..]) => durability::losses(replication, settings)?,
            _ => None,
        };
        let process = match told(answers, asked) {
            Ok(process) => Ok(process.seen_before(before)),
            Err(Unknown::Refused(error)) if is_refusal(&error) => Err(Text::from(format_args!(
                "it refuses `INFO` or `TIME` ({error}), which tell whether it was restarted: grant its user both (`+info +time`), or \
                 connect to the server itself if a proxy refuses them"
            ))),
            Err(Unknown::Refused(error)) => return Err(error),
            Err(Unknown::Unfit(why)) => Err(why.into()),
        };
        Ok(Self { asked, process, losses })
    }

    /// Whether it was told so recently that it still holds.
    pub(super) fn is_believed(&self) -> bool {
        self.asked.elapsed() < BELIEVED_FOR
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        let of = |told: &Self| told.process.as_ref().map(|process| process.incarnation).map_err(Clone::clone);
        of(self) == of(other)
    }
}

impl Process {
    fn seen_before(self, before: Option<&Told>) -> Self {
        let before = before.and_then(|told| told.process.as_ref().ok());
        let same = before.filter(|before| before.incarnation == self.incarnation);
        Self { since: same.map_or(self.since, |before| before.since), ..self }
    }

    /// For how long this client has known the incarnation.
    pub(super) fn known_for(&self) -> Duration {
        self.since.elapsed()
    }

    /// How long ago this time of the server was, in milliseconds.
    pub(super) fn age(&self, time: u64) -> Duration {
        (Duration::from_millis(self.time) + self.asked.elapsed()).saturating_sub(Duration::from_millis(time))
    }
}

enum Unknown {
    Refused(RedisError),
    Unfit(&'static str),
}

impl From<RedisError> for Unknown {
    fn from(error: RedisError) -> Self {
        Self::Refused(error)
    }
}

fn told(answers: Vec<RedisResult<Value>>, asked: Instant) -> Result<Process, Unknown> {
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
    let server = String::from_redis_value(next()?).map_err(RedisError::from)?;
    let replication = String::from_redis_value(next()?).map_err(RedisError::from)?;
    let (seconds, micros) = <(u64, u64)>::from_redis_value(next()?).map_err(RedisError::from)?;

    if field(&replication, "role") == Some("slave") {
        return Err(Unknown::Unfit("it is a replica, which may be behind: use the address of its primary"));
    }
    let (Some(run), Some(history)) = (field(&server, "run_id"), field(&replication, "master_replid")) else {
        return Err(Unknown::Unfit(
            "its `INFO` has no `run_id` or no `master_replid`, which tell whether it was restarted: connect to the server itself if a proxy \
             leaves them out",
        ));
    };
    Ok(Process {
        incarnation: Incarnation(xxh3_64(format!("{run} {history}").as_bytes())),
        time: seconds * 1000 + micros / 1000,
        asked,
        since: asked,
    })
}

pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
}

/// Whether the server, or a proxy, answered that it does not do this; not that it cannot now.
pub(super) fn is_refusal(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(_) => !super::connection::is_unavailable(error),
        ErrorKind::Extension | ErrorKind::UnexpectedReturnType | ErrorKind::Parse => true,
        _ => false,
    }
}

/// Returns why the server is unsuitable for any cache, by its `INFO`.
pub(super) fn unsuitable(info: &str) -> Option<&'static str> {
    if field(info, "redis_mode") == Some("cluster") || field(info, "cluster_enabled") == Some("1") {
        return Some(
            "is a node of a Redis Cluster, which refuses (`MOVED`) the keys of the other nodes: use a server with `cluster-enabled no`, \
             or a proxy that speaks for the whole cluster",
        );
    }
    if field(info, "redis_mode") == Some("sentinel") {
        return Some("is a Sentinel, which stores nothing: use the address of the server that it watches");
    }
    if field(info, "role") == Some("slave") && field(info, "slave_read_only") != Some("0") {
        return Some("is a replica, which refuses writes (`READONLY`): use the address of its primary");
    }
    None
}

#[cfg(test)]
impl Process {
    pub(super) fn sample(incarnation: Incarnation) -> Self {
        let now = Instant::now();
        Self { incarnation, time: 0, asked: now, since: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(server: &str, replication: &str) -> Vec<RedisResult<Value>> {
        let text = |text: &str| Ok(Value::BulkString(text.as_bytes().to_vec()));
        let time = ["1795874308", "744308"].map(|part| Value::BulkString(part.into())).to_vec();
        vec![text(server), text(replication), Ok(Value::Array(time))]
    }

    fn incarnation(server: &str, replication: &str) -> Result<Incarnation, &'static str> {
        match told(answers(server, replication), Instant::now()) {
            Ok(process) => Ok(process.incarnation),
            Err(Unknown::Unfit(why)) => Err(why),
            Err(Unknown::Refused(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn incarnation_differs_after_a_restart_and_after_a_failover() {
        let of = |run: &str, history: &str| {
            let server = format!("# Server\r\nredis_version:7.0.15\r\nrun_id:{run}\r\n");
            incarnation(&server, &format!("# Replication\r\nrole:master\r\nmaster_replid:{history}\r\n"))
        };
        let first = of("a", "b").unwrap();
        assert_eq!(of("a", "b"), Ok(first));
        assert!([of("c", "b"), of("a", "c"), of("b", "a")].iter().all(|other| *other != Ok(first)));
    }

    #[test]
    fn server_that_leaves_something_out_is_unfit() {
        for (server, replication) in [
            ("", "role:master\r\nmaster_replid:b"),
            ("run_id:a", "role:master\r\nmaster_replid2:b"),
            ("", ""),
        ] {
            let why = incarnation(server, replication).unwrap_err();
            assert!(why.contains("`run_id`") && why.contains("connect to the server itself"), "{why}");
        }
    }
}
