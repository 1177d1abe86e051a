//! The stream that takes the events: created, or checked.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    context::{GetStreamError, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
};
use graceful::backends::{ProcessRole, client::ConnectError};

use super::{client::Client, url::Url};

const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const REPETITIONS_KNOWN: Duration = Duration::from_secs(120);

/// The least number of messages that a stream must store before it discards messages that may be unread.
const FEWEST_MESSAGES: i64 = 1_000_000;
const FEWEST_BYTES: i64 = 1 << 30;
const SHORTEST_AGE: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) async fn created_or_checked(client: &Client, url: &Url) -> Result<Stream, ConnectError> {
    let of = |why: &str| ConnectError::new(format!("the stream `{}` of {} {why}", url.stream, client.place));
    let stream = match client.jetstream.get_stream(&url.stream).await {
        Err(error) if is_missing(&error) && url.create && ProcessRole::current().changes_schema() => {
            match client.jetstream.create_stream(config(url)).await {
                Ok(stream) => Ok(stream),
                // Another process may have been first.
                Err(error) => client
                    .jetstream
                    .get_stream(&url.stream)
                    .await
                    .map_err(|_| of(&format!("cannot be created: {}", with_causes(&error)))),
            }
        }
        Err(error) if is_missing(&error) => Err(of("is missing")),
        found => found.map_err(|error| of(&format!("cannot be inspected: {}", with_causes(&error)))),
    }?;
    let config = &stream.cached_info().config;
    if let Some(why) = unfit(config, &url.stream) {
        return Err(of(&why));
    }
    let losses = if url.allow_loss { Vec::new() } else { losses(config) };
    if losses.is_empty() {
        return Ok(stream);
    }
    Err(of(&format!(
        "can lose events: {}. Change the stream, or allow it by `allow_loss=true` in the URL",
        losses.join("; ")
    )))
}

fn subjects(stream: &str) -> String {
    format!("{stream}.>")
}

fn config(url: &Url) -> Config {
    Config {
        name: url.stream.clone(),
        description: Some("events of graceful, as CloudEvents".to_owned()),
        subjects: vec![subjects(&url.stream)],
        max_age: KEPT,
        duplicate_window: REPETITIONS_KNOWN,
        ..Config::default()
    }
}

/// Returns why an existing stream is unsuitable.
fn unfit(config: &Config, stream: &str) -> Option<String> {
    let subjects = subjects(stream);
    if !config.subjects.iter().any(|taken| *taken == subjects || taken == ">") {
        return Some(format!("does not take the subjects `{subjects}`"));
    }
    if config.no_ack {
        return Some("does not acknowledge (`no_ack`)".to_owned());
    }
    if config.sealed {
        return Some("is sealed".to_owned());
    }
    config
        .duplicate_window
        .is_zero()
        .then(|| "does not detect duplicates (`duplicate_window` is 0)".to_owned())
}

/// Lists how an existing stream can lose unread events, each with the setting to change.
fn losses(config: &Config) -> Vec<String> {
    let mut losses = Vec::new();
    if config.storage == StorageType::Memory {
        losses.push("it is in memory (set `storage` to `file`)".to_owned());
    }
    let retention = match config.retention {
        RetentionPolicy::Limits => None,
        RetentionPolicy::Interest => {
            Some("it drops events that no consumer waits for (`retention` is `interest`")
        }
        RetentionPolicy::WorkQueue => {
            Some("it deletes an event when one consumer has acknowledged it (`retention` is `workqueue`")
        }
    };
    losses.extend(retention.map(|why| format!("{why}: set it to `limits`)")));
    // A stream that discards new messages refuses the event: its step fails, and nothing is lost silently.
    let discards_old = config.discard == DiscardPolicy::Old;
    for (limit, value, fewest, applies) in [
        ("max_msgs", config.max_messages, FEWEST_MESSAGES, discards_old),
        ("max_bytes", config.max_bytes, FEWEST_BYTES, discards_old),
        (
            "max_msgs_per_subject",
            config.max_messages_per_subject,
            FEWEST_MESSAGES,
            discards_old || !config.discard_new_per_subject,
        ),
    ] {
        if applies && (1..fewest).contains(&value) {
            losses.push(format!(
                "beyond {value} it discards the oldest (`{limit}`: set it to -1, to {fewest} or more, or `discard` to `new`)"
            ));
        }
    }
    if (Duration::from_nanos(1)..SHORTEST_AGE).contains(&config.max_age) {
        losses.push(format!(
            "after {:?} it discards them (`max_age`: set it to 0, to 24 h or more)",
            config.max_age
        ));
    }
    losses
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The error with its causes.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_that_refuses_or_duplicates_events_is_unfit() {
        let fit = || Config { subjects: vec!["a.>".to_owned()], duplicate_window: KEPT, ..Config::default() };
        assert_eq!(unfit(&fit(), "a"), None);
        assert_eq!(unfit(&Config { subjects: vec![">".to_owned()], ..fit() }, "a"), None);
        for (config, why) in [
            (Config { subjects: vec!["a.*".to_owned(), "b.>".to_owned()], ..fit() }, "does not take"),
            (Config { no_ack: true, ..fit() }, "does not acknowledge"),
            (Config { sealed: true, ..fit() }, "is sealed"),
            (Config { duplicate_window: Duration::ZERO, ..fit() }, "does not detect duplicates"),
        ] {
            let why_unfit = unfit(&config, "a").unwrap();
            assert!(why_unfit.starts_with(why), "{why_unfit}");
        }
    }

    #[test]
    fn stream_that_can_lose_events_names_each_setting_to_change() {
        let fit =
            || Config { max_messages: -1, max_bytes: -1, max_messages_per_subject: -1, ..Config::default() };
        let ample = Config {
            max_messages: FEWEST_MESSAGES,
            max_bytes: FEWEST_BYTES,
            max_messages_per_subject: FEWEST_MESSAGES,
            max_age: SHORTEST_AGE,
            ..fit()
        };
        let refusing = Config { max_messages: 5, max_bytes: 5, discard: DiscardPolicy::New, ..fit() };
        let refusing_each =
            Config { max_messages_per_subject: 5, discard_new_per_subject: true, ..refusing.clone() };
        for config in [Config::default(), fit(), ample, refusing.clone(), refusing_each] {
            assert_eq!(losses(&config), [""; 0], "{config:?}");
        }
        for (config, why) in [
            (Config { storage: StorageType::Memory, ..fit() }, "`storage`"),
            (Config { retention: RetentionPolicy::Interest, ..fit() }, "`interest`"),
            (Config { retention: RetentionPolicy::WorkQueue, ..fit() }, "`workqueue`"),
            (Config { max_messages: 999_999, ..fit() }, "`max_msgs`"),
            (Config { max_bytes: 1, ..fit() }, "`max_bytes`"),
            (Config { max_messages_per_subject: 1, ..fit() }, "`max_msgs_per_subject`"),
            (Config { max_messages_per_subject: 1, ..refusing }, "`max_msgs_per_subject`"),
            (Config { max_age: Duration::from_secs(60), ..fit() }, "`max_age`"),
        ] {
            let losses = losses(&config);
            assert!(losses.len() == 1 && losses[0].contains(why), "{losses:?}");
        }
        let all = Config { storage: StorageType::Memory, max_messages: 5, max_age: KEPT / 100, ..fit() };
        assert_eq!(losses(&all).len(), 3);
    }
}
