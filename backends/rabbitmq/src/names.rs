//! The names of exchanges, queues and routing keys, which RabbitMQ limits to 255 bytes.

use graceful::{Sha256, backends::encoded};
use graceful_subscriber::Filter;
use lapin::types::ShortString;

/// The longest part of a routing key: four of them, and three dots, are 255 bytes.
const LONGEST_PART: usize = 63;

/// Returns the routing key under which the events of a filter are published, if all of its parts are set, and otherwise the key of the binding
/// that selects them: `users.acme.user.user_updated`, `users.*.*.*`.
///
/// A part that is longer than 63 bytes when it is [encoded](graceful::backends::encoded) is replaced by `~` and 62 digits of its SHA-256, because
/// RabbitMQ accepts keys of at most 255 bytes.
///
/// ```
/// use graceful_rabbitmq::{Filter, routing_key};
///
/// assert_eq!(routing_key(&Filter::new()), "*.*.*.*");
/// let failed = Filter::new().service("users").tenant("").event("user_updated.failed");
/// assert_eq!(routing_key(&failed), "users.%.*.user_updated%2Efailed");
/// let long = routing_key(&Filter::new().pattern("p".repeat(64)));
/// assert_eq!((long.len(), &long[..8]), (69, "*.*.~153"));
/// ```
pub fn routing_key(filter: &Filter) -> String {
    filter.tokens().map(|token| token.map_or_else(|| "*".to_owned(), shortened)).join(".")
}

/// The routing key of a pattern's event, with the parameter `{tenant}`, as AsyncAPI writes addresses.
///
/// ```
/// let address = graceful_rabbitmq::channel_address("users", "user", "user_updated");
/// assert_eq!(address, "users.{tenant}.user.user_updated");
/// ```
pub fn channel_address(service: &str, pattern: &str, event: &str) -> String {
    let filter = Filter::new().service(service).pattern(pattern).event(event);
    // The only part that is not set; no other one has the character.
    routing_key(&filter).replacen('*', "{tenant}", 1)
}

fn shortened(token: String) -> String {
    if token.len() <= LONGEST_PART {
        return token;
    }
    let mut hash = format!("~{}", Sha256::of(token.as_bytes()));
    hash.truncate(LONGEST_PART);
    hash
}

/// A routing key, or the key of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn of(filter: &Filter) -> Self {
        Self(routing_key(filter))
    }

    /// Parses what [`routing_key`] returns.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-%~".contains(&byte);
            part == "*" || (1..=LONGEST_PART).contains(&part.len()) && part.bytes().all(is_plain)
        };
        let is_key = text.split('.').count() == 4 && text.split('.').all(is_part);
        is_key.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a binding with this key selects events with that routing key.
    pub(super) fn selects(&self, key: &str) -> bool {
        let (mut mine, mut its) = (self.0.split('.'), key.split('.'));
        let all = mine.all(|part| its.next().is_some_and(|other| part == "*" || part == other));
        all && its.next().is_none()
    }
}

pub(super) fn is_exchange(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// With the exchange before it, and `.poison` behind it, it must fit the name of a queue. No name contains a separator.
pub(super) fn is_subscriber(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !".*#>".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(is_plain)
}

/// The name of the subscriber with this identity: the identity itself, so that a publisher can name it, unless it is no permitted name. Then it is
/// [encoded], or `~` and its SHA-256 if that would be too long. As an encoding contains `%`, and nothing that is not encoded contains `%` or `~`, different
/// identities have different names.
pub(super) fn subscriber_name(identity: &str) -> String {
    if is_subscriber(identity) && !identity.contains(['%', '~']) {
        return identity.to_owned();
    }
    let name = encoded(identity).to_string();
    if is_subscriber(&name) { name } else { format!("~{}", Sha256::of(identity.as_bytes())) }
}

/// The queue of a subscriber.
pub(super) fn queue(exchange: &str, subscriber: &str) -> String {
    format!("{exchange}.{subscriber}")
}

/// Where the poison events of a queue go.
pub(super) fn poison_queue(queue: &str) -> String {
    format!("{queue}.poison")
}

/// A text for the protocol. The conversion by `into` would panic if it is too long.
pub(super) fn short(text: &str) -> Result<ShortString, lapin::Error> {
    ShortString::try_new(text).map_err(|error| std::io::Error::other(error).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_names_fit_the_protocol() {
        let long = "ä".repeat(500);
        let filter = Filter::new().service(&*long).tenant(&*long).pattern(&*long).event(&*long);
        assert_eq!(routing_key(&filter).len(), 255);
        assert_eq!(Key::parse(&routing_key(&filter)), Some(Key::of(&filter)));
        let (exchange, subscriber) = ("e".repeat(64), "s".repeat(128));
        assert!(is_exchange(&exchange) && is_subscriber(&subscriber));
        assert!(short(&poison_queue(&queue(&exchange, &subscriber))).is_ok());
        assert!(short(&"a".repeat(256)).is_err());
    }

    #[test]
    fn binding_selects_keys_with_its_parts() {
        let all = Key::of(&Filter::new());
        let failed = Key::of(&Filter::new().service("users").event("said.failed"));
        let key = "users.%.user.said%2Efailed";
        assert!(all.selects(key) && failed.selects(key));
        for other in
            ["", "users", "users.%.user.said", "user.%.user.said%2Efailed", "users.%.user.said%2Efailed.x"]
        {
            assert!(!failed.selects(other), "{other}");
        }
        assert!(!all.selects("a.b.c") && !all.selects("a.b.c.d.e"));
    }

    #[test]
    fn name_with_a_separator_or_a_wildcard_is_refused() {
        for name in ["", "a.b", "a b", "*", "#", ">", "a\n", &"a".repeat(129)] {
            assert!(!is_subscriber(name), "{name}");
        }
        for name in ["greeter", "größe-7_a"] {
            assert!(is_subscriber(name), "{name}");
        }
    }

    #[test]
    fn subscriber_names_are_injective_and_permitted() {
        let long = "ä".repeat(70);
        let identities = [
            "shop::on_order",
            "shop.on_order",
            "shop%2Eon_order",
            "shop%2eon_order",
            "a b",
            "a%20b",
            "~",
            "",
            &long,
        ];
        let names = identities.map(subscriber_name);
        for (index, name) in names.iter().enumerate() {
            assert!(is_subscriber(name), "{name}");
            assert!(!names[..index].contains(name), "{name}");
        }
        assert_eq!(names[..2], ["shop::on_order", "shop%2Eon_order"]);
    }
}
