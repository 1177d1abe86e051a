//! The stream that takes the events: created, or checked.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    context::{GetStreamError, GetStreamErrorKind},
    stream::{Config, Stream},
};

use super::{client::Client, url::Url};
use crate::backends::ConnectError;

const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const REPETITIONS_KNOWN: Duration = Duration::from_secs(120);

pub(super) async fn created_or_checked(client: &Client, url: &Url) -> Result<Stream, ConnectError> {
    let of = |why: &str| ConnectError::new(format!("the stream `{}` of {} {why}", url.stream, client.place));
    let stream = match client.jetstream.get_stream(&url.stream).await {
        Err(error) if is_missing(&error) && url.create => {
            match client.jetstream.create_stream(config(url)).await {
                Ok(stream) => Ok(stream),
                // Another process may have been first.
                Err(error) => client
                    .jetstream
                    .get_stream(&url.stream)
                    .await
                    .map_err(|_| of(&format!("cannot be created: {}", told(&error)))),
            }
        }
        Err(error) if is_missing(&error) => Err(of("is missing")),
        found => found.map_err(|error| of(&format!("cannot be asked for: {}", told(&error)))),
    }?;
    match unfit(&stream.cached_info().config, &url.stream) {
        Some(why) => Err(of(&why)),
        None => Ok(stream),
    }
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

/// Why a stream that somebody has created will not do.
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
        .then(|| "does not know repetitions (`duplicate_window` is 0)".to_owned())
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The error with its causes.
pub(super) fn told(error: &dyn std::error::Error) -> String {
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
    fn a_stream_that_loses_events_or_repeats_them_is_unfit() {
        let fit = || Config { subjects: vec!["a.>".to_owned()], duplicate_window: KEPT, ..Config::default() };
        assert_eq!(unfit(&fit(), "a"), None);
        assert_eq!(unfit(&Config { subjects: vec![">".to_owned()], ..fit() }, "a"), None);
        for (config, why) in [
            (Config { subjects: vec!["a.*".to_owned(), "b.>".to_owned()], ..fit() }, "does not take"),
            (Config { no_ack: true, ..fit() }, "does not acknowledge"),
            (Config { sealed: true, ..fit() }, "is sealed"),
            (Config { duplicate_window: Duration::ZERO, ..fit() }, "does not know repetitions"),
        ] {
            let told = unfit(&config, "a").unwrap();
            assert!(told.starts_with(why), "{told}");
        }
    }
}
