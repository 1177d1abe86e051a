//! `nats://user:password@host:port,host:port?stream=name&create=false&allow_loss=true`.

use async_nats::{ConnectOptions, ServerAddr};
use graceful::backends::client::{
    ConnectError,
    url::{ENCODE, place},
};
use percent_encoding::percent_decode_str;

/// The default name of the stream.
const STREAM: &str = "graceful";

pub(super) struct Url {
    pub servers: Vec<ServerAddr>,
    pub login: Option<Login>,
    pub stream: String,
    /// Whether a missing stream is created.
    pub create: bool,
    /// Whether a stream that can lose events is accepted.
    pub allow_loss: bool,
    /// The server for messages, with host and port if these certainly contain no secret.
    pub place: String,
}

pub(super) enum Login {
    Token(String),
    User(String, String),
}

impl Url {
    /// Parses a URL. The error contains no part of it, because any part may be a secret.
    pub(super) fn parse(url: &str) -> Result<Self, ConnectError> {
        let (servers, query) = url.split_once('?').unwrap_or((url, ""));
        let mut this = Self {
            servers: Vec::new(),
            login: None,
            stream: STREAM.to_owned(),
            create: true,
            allow_loss: false,
            place: "NATS".to_owned(),
        };
        for server in servers.split(',') {
            this.add_server(server)?;
        }
        for option in query.split('&').filter(|option| !option.is_empty()) {
            this.set(option)?;
        }
        Ok(this)
    }

    fn add_server(&mut self, server: &str) -> Result<(), ConnectError> {
        let (scheme, authority) = server.split_once("://").unwrap_or(("nats", server));
        if !matches!(scheme, "nats" | "tls") {
            return Err(no_url("its scheme is neither `nats` nor `tls`"));
        }
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host.trim_end_matches('/')),
            None => (None, authority.trim_end_matches('/')),
        };
        if host.is_empty() {
            return Err(no_url("it has no host"));
        }
        let server: ServerAddr =
            format!("{scheme}://{host}").parse().map_err(|_| no_url("its host or its port is invalid"))?;
        if login.is_some() && self.login.is_none() && !self.servers.is_empty() {
            return Err(no_url(
                "the first of its servers has no user, but another one has: put the user first",
            ));
        }
        if let Some(shown) =
            place("", server.host().trim_matches(['[', ']']), server.port()).strip_prefix(" at ")
        {
            let separator = if self.place == "NATS" { " at " } else { "," };
            self.place += separator;
            self.place += shown;
        }
        self.servers.push(server);
        if let Some(login) = login {
            self.login = Some(match login.split_once(':') {
                Some((user, password)) => Login::User(decoded(user)?, decoded(password)?),
                None => Login::Token(decoded(login)?),
            });
        }
        Ok(())
    }

    fn set(&mut self, option: &str) -> Result<(), ConnectError> {
        match option.split_once('=') {
            Some(("stream", name)) if is_name(name) => name.clone_into(&mut self.stream),
            Some(("stream", _)) => {
                return Err(no_url("the name of a stream has 1 to 64 letters, digits, `_` and `-`"));
            }
            Some(("create", "true")) => self.create = true,
            Some(("create", "false")) => self.create = false,
            Some(("allow_loss", "true")) => self.allow_loss = true,
            Some(("allow_loss", "false")) => self.allow_loss = false,
            _ => {
                return Err(no_url(
                    "unknown option or value; expected `stream=NAME`, `create=true|false` or `allow_loss=true|false`",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn options(&self) -> ConnectOptions {
        match &self.login {
            None => ConnectOptions::new(),
            Some(Login::Token(token)) => ConnectOptions::with_token(token.clone()),
            Some(Login::User(user, password)) => {
                ConnectOptions::with_user_and_password(user.clone(), password.clone())
            }
        }
    }
}

fn no_url(why: &str) -> ConnectError {
    ConnectError::new(format!("not a URL of NATS: {why}{ENCODE}"))
}

fn decoded(text: &str) -> Result<String, ConnectError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| no_url("its user or its password is not UTF-8"))
}

/// The name must also be a valid token of subjects.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_parsed_into_servers_login_and_stream() {
        let url = Url::parse(
            "nats://us%40er:p%3Ass@a:1,b,tls://[::1]:3/?stream=orders&create=false&allow_loss=true",
        )
        .unwrap();
        assert_eq!(
            url.place, "NATS at [::1]:3",
            "a host that may be a secret in the wrong place is not shown"
        );
        assert!(
            matches!(url.login, Some(Login::User(user, password)) if user == "us@er" && password == "p:ss")
        );
        assert_eq!((url.stream.as_str(), url.create, url.servers.len()), ("orders", false, 3));
        assert!(url.servers[2].tls_required() && url.allow_loss);

        let url = Url::parse("nats://t0ken@a").unwrap();
        assert!(matches!(url.login, Some(Login::Token(token)) if token == "t0ken"));
        assert_eq!((url.stream.as_str(), url.create), ("graceful", true));
    }

    #[test]
    fn invalid_url_is_refused_without_showing_a_secret() {
        for url in [
            "",
            "nats://",
            "http://:s3cret@a",
            "nats://u:s3cret@",
            "nats://u:s3cret@a:99999",
            "nats://u:s3cret@a b",
            "nats://u:s3cret%ff@a",
            "nats://u:s3cret@a?stream=",
            "nats://u:s3cret@a?stream=a.b",
            "nats://u:s3cret@a?stream=*",
            "nats://u:s3cret@a?steam=a",
            "nats://u:s3cret@a?create=no",
            "nats://u:s3cret@a?allow_loss=1",
        ] {
            let error = Url::parse(url).err().unwrap_or_else(|| panic!("{url} is taken")).to_string();
            assert!(error.starts_with("not a URL of NATS: ") && !error.contains("s3cret"), "{url}: {error}");
        }
    }
}
