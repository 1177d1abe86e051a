//! `amqp://user:password@host:port,host:port/vhost?exchange=name&create=false&unroutable=accept&subscriber=name:filter`.

use graceful::backends::client::{
    ConnectError,
    url::{ENCODE, is_well_formed, place},
};
use percent_encoding::percent_decode_str;

use super::{
    names::{Key, is_exchange, is_subscriber, short},
    unroutable::Unroutable,
};

/// The default name of the exchange.
const EXCHANGE: &str = "graceful";

/// How RabbitMQ itself creates its first user and its first virtual host.
const GUEST: &str = "guest";
const VHOST: &str = "/";

#[derive(Clone)]
pub(super) struct Url {
    pub is_encrypted: bool,
    /// Hosts and ports of the servers of one cluster.
    pub servers: Vec<(String, u16)>,
    pub user: String,
    pub password: String,
    pub vhost: String,
    pub exchange: String,
    /// Whether a missing exchange or queue is created.
    pub create: bool,
    pub unroutable: Unroutable,
    /// The subscribers whose queues a publisher declares, by name, each with what it reads.
    pub subscribers: Vec<(String, Key)>,
    /// The server for messages, with host and port if these certainly contain no secret.
    pub place: String,
}

impl Url {
    /// Parses a URL. The error contains no part of it, because any part may be a secret.
    pub(super) fn parse(url: &str) -> Result<Self, ConnectError> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| no_url("it has no scheme"))?;
        let is_encrypted = match scheme {
            "amqp" => false,
            "amqps" => true,
            _ => return Err(no_url("its scheme is neither `amqp` nor `amqps`")),
        };
        if !is_well_formed(url) {
            return Err(no_url("its parts are ambiguous"));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let mut this = Self {
            is_encrypted,
            servers: Vec::new(),
            user: if login.is_empty() { GUEST.to_owned() } else { decoded(user)? },
            password: if login.is_empty() { GUEST.to_owned() } else { decoded(password)? },
            vhost: if path.is_empty() { VHOST.to_owned() } else { decoded(path)? },
            exchange: EXCHANGE.to_owned(),
            create: true,
            unroutable: Unroutable::Retry,
            subscribers: Vec::new(),
            place: "RabbitMQ".to_owned(),
        };
        // The client would panic.
        if short(&this.vhost).is_err() {
            return Err(no_url("the name of its virtual host is longer than 255 bytes"));
        }
        for host in hosts.split(',') {
            this.add_server(host)?;
        }
        for option in query.split('&').filter(|option| !option.is_empty()) {
            this.set(option)?;
        }
        Ok(this)
    }

    fn add_server(&mut self, server: &str) -> Result<(), ConnectError> {
        let (host, port) = match server.rsplit_once(':') {
            // The colons of an IPv6 address without a port are within brackets.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (server, None),
        };
        let default = if self.is_encrypted { 5671 } else { 5672 };
        let port = port.map_or(Ok(default), str::parse).map_err(|_| no_url("its port is invalid"))?;
        let host = host.trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(no_url("it has no host"));
        }
        if let Some(shown) = place("", host, port).strip_prefix(" at ") {
            let separator = if self.place == "RabbitMQ" { " at " } else { "," };
            self.place += separator;
            self.place += shown;
        }
        self.servers.push((host.to_owned(), port));
        Ok(())
    }

    fn set(&mut self, option: &str) -> Result<(), ConnectError> {
        match option.split_once('=') {
            Some(("exchange", name)) if is_exchange(name) => name.clone_into(&mut self.exchange),
            Some(("exchange", _)) => {
                return Err(no_url("the name of an exchange has 1 to 64 letters, digits, `_` and `-`"));
            }
            Some(("create", "true")) => self.create = true,
            Some(("create", "false")) => self.create = false,
            Some(("unroutable", "retry")) => self.unroutable = Unroutable::Retry,
            Some(("unroutable", "accept")) => self.unroutable = Unroutable::Accept,
            Some(("subscriber", value)) => {
                let (name, key) = value.split_once(':').unwrap_or((value, "*.*.*.*"));
                let name = decoded(name)?;
                let key = Key::parse(key).filter(|_| is_subscriber(&name)).ok_or_else(|| {
                    no_url("a subscriber is a name, or a name, a colon and a routing key of four parts")
                })?;
                self.subscribers.push((name, key));
            }
            _ => {
                return Err(no_url(
                    "unknown option or value; expected `exchange=NAME`, `create=true|false`, `unroutable=retry|accept` or \
                     `subscriber=NAME[:KEY]`",
                ));
            }
        }
        Ok(())
    }
}

fn no_url(why: &str) -> ConnectError {
    ConnectError::new(format!("not a URL of RabbitMQ: {why}{ENCODE}"))
}

fn decoded(text: &str) -> Result<String, ConnectError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| no_url("one of its parts is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_parsed_into_servers_login_and_exchange() {
        let url = Url::parse(
            "amqps://us%40er:p%3Ass@a:1,b,[::1]:3,[::1]/or%2Fders?exchange=orders&create=false&unroutable=accept\
             &subscriber=letters&subscriber=bills:users.*.user.user_updated",
        )
        .unwrap();
        assert_eq!(url.place, "RabbitMQ at [::1]:3,[::1]:5671", "a host that may be a secret is not shown");
        assert_eq!(
            (url.user.as_str(), url.password.as_str(), url.vhost.as_str()),
            ("us@er", "p:ss", "or/ders")
        );
        assert_eq!(url.servers[..2], [("a".to_owned(), 1), ("b".to_owned(), 5671)]);
        assert_eq!(
            (url.exchange.as_str(), url.create, url.unroutable),
            ("orders", false, Unroutable::Accept)
        );
        let subscribers: Vec<_> = url.subscribers.iter().map(|(name, key)| (&**name, key.as_str())).collect();
        assert_eq!(subscribers, [("letters", "*.*.*.*"), ("bills", "users.*.user.user_updated")]);

        for url in ["amqp://a", "amqp://a/", "amqp://guest:guest@a:5672/%2f"] {
            let url = Url::parse(url).unwrap();
            assert_eq!(
                (url.user.as_str(), url.password.as_str(), url.vhost.as_str()),
                ("guest", "guest", "/")
            );
            assert_eq!(
                (url.exchange.as_str(), url.create, url.unroutable),
                ("graceful", true, Unroutable::Retry)
            );
            assert_eq!(url.servers, [("a".to_owned(), 5672)]);
        }
    }

    #[test]
    fn invalid_url_is_refused_without_showing_a_secret() {
        let long_vhost = format!("amqp://u:p@a/{}s3cret", "v".repeat(250));
        for url in [
            &*long_vhost,
            "",
            "amqp://",
            "http://:s3cret@a",
            "amqp://u:s3cret@",
            "amqp://u:s3cret@a:99999",
            "amqp://u:s3cret@a b",
            "amqp://u:s3cret@b@a",
            "amqp://u:s3cret%ff@a",
            "amqp://u:p@a/s3cret%ff",
            "amqp://u:s3cret@a?exchange=",
            "amqp://u:s3cret@a?exchange=a.b",
            "amqp://u:s3cret@a?exchanges=a",
            "amqp://u:s3cret@a?create=no",
            "amqp://u:s3cret@a?unroutable=lose",
            "amqp://u:s3cret@a?subscriber=",
            "amqp://u:s3cret@a?subscriber=a:b",
            "amqp://u:s3cret@a?subscriber=a:#.b.c.d",
        ] {
            let error = Url::parse(url).err().unwrap_or_else(|| panic!("{url} is taken")).to_string();
            assert!(
                error.starts_with("not a URL of RabbitMQ: ") && !error.contains("s3cret"),
                "{url}: {error}"
            );
        }
    }
}
