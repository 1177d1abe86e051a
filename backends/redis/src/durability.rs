//! Whether the server may forget what it has acknowledged, which is an answer that a client has seen.

use std::collections::HashMap;

use ::redis::{FromRedisValue, Pipeline, RedisError, RedisResult, Value};
use graceful::Text;

use super::process::{field, is_refusal};

/// Whether a server is used that may forget what it has acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// It is not asked.
    Allowed,
    Refused,
}

/// What the server is configured to.
type Settings = HashMap<String, String>;

/// The patterns of the settings. More than one in a command needs Redis 7.
const PATTERNS: [&str; 2] = ["*append*", "maxmemory*"];

/// Adds the questions to a pipeline.
pub(super) fn ask(question: &mut Pipeline) {
    for pattern in PATTERNS {
        question.cmd("CONFIG").arg("GET").arg(pattern);
    }
}

/// Returns why the server may forget, by its `INFO replication` and its answers to [`ask`].
///
/// # Errors
/// It cannot tell now.
pub(super) fn losses(
    replication: &RedisResult<Value>,
    settings: &[RedisResult<Value>],
) -> RedisResult<Option<Text>> {
    let mut reasons = match told::<String>(replication)? {
        Ok(info) => of_replicas(&info),
        Err(error) => vec![format!(
            "it refuses `INFO` ({error}), which tells whether it has replicas: grant its user `+info`"
        )],
    };
    let settings: Result<Vec<Settings>, _> = settings.iter().map(told).collect::<RedisResult<_>>()?;
    match settings {
        Ok(settings) => reasons.extend(of_settings(&settings.into_iter().flatten().collect())),
        Err(error) => reasons.push(format!(
            "it refuses `CONFIG GET` ({error}), which tells whether it writes to disk before it acknowledges: grant its user `+config|get`"
        )),
    }
    Ok((!reasons.is_empty()).then(|| {
        Text::from(format_args!(
            "may forget answers of idempotent calls that it has acknowledged: {}. Change the server, or allow it by `allow_loss=true` in the \
             URL",
            reasons.join("; ")
        ))
    }))
}

/// What the server has told, or that it refuses to.
fn told<T: FromRedisValue>(answer: &RedisResult<Value>) -> RedisResult<Result<T, RedisError>> {
    match answer.clone().and_then(|value| Ok(T::from_redis_value(value)?)) {
        Ok(told) => Ok(Ok(told)),
        Err(error) if is_refusal(&error) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

fn of_replicas(info: &str) -> Vec<String> {
    let reason = match (field(info, "role"), field(info, "connected_slaves")) {
        (Some("slave"), _) => {
            "it is a replica, which takes over what its primary has: use the address of the primary"
        }
        (_, Some("0")) => return Vec::new(),
        (_, Some(_)) => {
            "replicas are attached, and a failover loses what they have not got yet: use a server without replicas"
        }
        (_, None) => {
            "its `INFO` has no `connected_slaves`, which tells whether it has replicas: connect to the server itself if a proxy leaves it out"
        }
    };
    vec![reason.to_owned()]
}

fn of_settings(settings: &Settings) -> Vec<String> {
    let is = |name: &str| settings.get(name).map_or("", String::as_str);
    let mut reasons = Vec::new();
    for (name, fit) in [("appendonly", "yes"), ("appendfsync", "always")] {
        match is(name) {
            "" => reasons.push(format!("it does not tell `{name}`")),
            other if other != fit => reasons.push(format!("`{name} {other}`: set `{name} {fit}`")),
            _ => {}
        }
    }
    // It is heeded also with `appendfsync always`.
    if is("no-appendfsync-on-rewrite") == "yes" {
        reasons.push("`no-appendfsync-on-rewrite yes`: set `no-appendfsync-on-rewrite no`".to_owned());
    }
    match (is("maxmemory"), is("maxmemory-policy")) {
        ("", _) | (_, "") => reasons.push("it does not tell `maxmemory` or `maxmemory-policy`".to_owned()),
        ("0", _) | (_, "noeviction") => {}
        // All the others evict keys that expire.
        (_, policy) => reasons.push(format!(
            "`maxmemory-policy {policy}` evicts keys before they expire: set `maxmemory-policy noeviction`"
        )),
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIT: [(&str, &str); 5] = [
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("no-appendfsync-on-rewrite", "no"),
        ("maxmemory", "1000000"),
        ("maxmemory-policy", "noeviction"),
    ];

    fn reasons(changed: (&str, &str)) -> Vec<String> {
        let fit = FIT.into_iter().filter(|(name, _)| *name != changed.0);
        let settings = fit.chain([changed]).map(|(name, value)| (name.to_owned(), value.to_owned()));
        of_settings(&settings.collect())
    }

    #[test]
    fn setting_that_loses_writes_is_named_with_its_fix() {
        for fit in FIT.into_iter().chain([("maxmemory", "0")]) {
            assert_eq!(reasons(fit), [""; 0], "{fit:?}");
        }
        for (changed, reason) in [
            (("appendonly", "no"), "`appendonly no`: set `appendonly yes`"),
            (("appendonly", ""), "it does not tell `appendonly`"),
            (("appendfsync", "everysec"), "`appendfsync everysec`: set `appendfsync always`"),
            (("no-appendfsync-on-rewrite", "yes"), "`no-appendfsync-on-rewrite yes`: set"),
            (("maxmemory-policy", "volatile-lru"), "`maxmemory-policy volatile-lru` evicts keys"),
            (("maxmemory-policy", ""), "it does not tell `maxmemory`"),
        ] {
            let reasons = reasons(changed);
            assert!(reasons.len() == 1 && reasons[0].starts_with(reason), "{reasons:?}");
        }
    }

    #[test]
    fn policy_of_a_server_without_a_limit_of_memory_evicts_nothing() {
        let settings = FIT.into_iter().filter(|(name, _)| !name.starts_with("maxmemory"));
        let unlimited = settings.chain([("maxmemory", "0"), ("maxmemory-policy", "allkeys-lru")]);
        let unlimited = unlimited.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(of_settings(&unlimited.collect()), [""; 0]);
    }

    #[test]
    fn server_that_may_have_replicas_is_named() {
        assert_eq!(of_replicas("role:master\r\nconnected_slaves:0\r\n"), [""; 0]);
        for (info, reason) in [
            ("role:master\r\nconnected_slaves:1\r\n", "replicas are attached"),
            ("role:slave\r\nconnected_slaves:0\r\n", "it is a replica"),
            ("role:master\r\n", "its `INFO` has no `connected_slaves`"),
        ] {
            assert!(of_replicas(info)[0].starts_with(reason), "{info}");
        }
    }
}
