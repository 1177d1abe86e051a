//! `redis://user:password@host:port/database?allow_loss=true`.

use graceful::backends::client::ConnectError;

use crate::durability::Loss;

/// A URL, and the option that is not the client's.
pub(super) struct Url {
    pub(super) url: String,
    pub(super) loss: Loss,
}

impl Url {
    /// Takes the option out of a URL. The error contains no part of it, because any part may be a secret.
    pub(super) fn parse(url: &str) -> Result<Self, ConnectError> {
        let (server, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut others, mut loss) = (Vec::new(), Loss::Refused);
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("allow_loss", "true")) => loss = Loss::Allowed,
                Some(("allow_loss", "false")) => loss = Loss::Refused,
                Some(("allow_loss", _)) => {
                    return Err(ConnectError::new(
                        "not a URL of Redis: unknown value of an option; expected `allow_loss=true|false`",
                    ));
                }
                _ => others.push(option),
            }
        }
        let mark = if others.is_empty() { "" } else { "?" };
        Ok(Self { url: format!("{server}{mark}{}", others.join("&")), loss })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_is_taken_out_of_the_url() {
        for (url, of_client, loss) in [
            ("redis://u:p@a/1", "redis://u:p@a/1", Loss::Refused),
            ("redis://a?allow_loss=true", "redis://a", Loss::Allowed),
            ("redis://a?protocol=resp3&allow_loss=false", "redis://a?protocol=resp3", Loss::Refused),
            ("redis+unix:///a?db=1&allow_loss=true&user=u", "redis+unix:///a?db=1&user=u", Loss::Allowed),
            ("redis://u:1?2@a", "redis://u:1?2@a", Loss::Refused),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!((&*parsed.url, parsed.loss), (of_client, loss), "{url}");
        }
    }

    #[test]
    fn unknown_value_of_the_option_is_refused_without_showing_it() {
        for url in ["redis://:s3cret@a?allow_loss=yes", "redis://u:?allow_loss=s3cret@a"] {
            let error = Url::parse(url).err().unwrap().to_string();
            assert!(error.contains("`allow_loss=true|false`") && !error.contains("s3cret"), "{error}");
        }
    }
}
