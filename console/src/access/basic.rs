//! Basic authentication.

use std::{
    collections::HashMap,
    future::{Ready, ready},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::extract::ConnectInfo;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{header::AUTHORIZATION, request::Parts};
use sha2::Sha256;

use super::{Access, Permission, Refusal};

/// How many failures in a row block a name at a peer's address.
const MAX_FAILURES: u32 = 10;

/// For how long they block it.
const BLOCKED_FOR: Duration = Duration::from_secs(60);

/// How many failures of addresses and names are remembered.
const MAX_REMEMBERED: usize = 10_000;

/// Basic authentication with fixed users; see [`basic`].
#[derive(Clone, Debug, Default)]
pub struct Basic {
    users: Vec<User>,
    failures: Arc<Mutex<HashMap<Claimed, Failures>>>,
}

#[derive(Clone)]
struct User {
    name: String,
    password: Digest,
    access: Access,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("name", &self.name).field("access", &self.access).finish_non_exhaustive()
    }
}

/// A peer's address, and the name that it claims.
type Claimed = (Option<IpAddr>, String);

type Digest = Hmac<Sha256>;

#[derive(Clone, Copy, Debug)]
struct Failures {
    number: u32,
    last: Instant,
}

/// Basic authentication: the browser asks for a name and a password. Use it behind TLS only, since each request contains the password.
///
/// Passwords are compared in constant time. After ten wrong passwords for one name from one address, both are refused with 429 for a minute.
/// If the server does not provide the address of the peer (`into_make_service_with_connect_info::<SocketAddr>()`), or is behind a proxy, all
/// requests with a name count as from one address.
///
/// ```
/// use graceful_console::access::{Permission, basic};
/// let access = basic().user("ada", "correct horse", Permission::ALL).user("bob", "battery staple", []).access();
/// ```
#[must_use]
pub fn basic() -> Basic {
    Basic::default()
}

impl Basic {
    /// Adds a user with these permissions; without any, the user can only read.
    ///
    /// # Panics
    /// Panics if the name contains a colon, which basic authentication cannot transmit, if it is empty, or if the password is.
    #[must_use]
    pub fn user(
        mut self,
        name: impl Into<String>,
        password: &str,
        permissions: impl IntoIterator<Item = Permission>,
    ) -> Self {
        let name = name.into();
        assert!(
            !name.is_empty() && !name.contains(':'),
            "a user's name must not be empty, or contain a colon"
        );
        assert!(!password.is_empty(), "the password of `{name}` is empty");
        let access = Access::act(&*name, permissions);
        self.users.push(User { password: digest(password.as_bytes()), name, access });
        self
    }

    /// The function for [`Console::new`](crate::Console::new).
    pub fn access(self) -> impl Fn(Parts) -> Ready<Access> + Clone + Send + Sync + 'static {
        move |parts| ready(self.asked(&parts, Instant::now()))
    }

    fn asked(&self, parts: &Parts, now: Instant) -> Access {
        let Some((name, password)) = credentials(parts) else {
            return Access::refused(Refusal::Unauthenticated);
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        // One entry of a peer for all names that do not exist, so that guessing names needs no memory.
        let claimed = self.users.iter().find(|user| user.name == name).map_or("", |user| &user.name);
        let who = (peer, claimed.to_owned());
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let blocks = |failures: &Failures| now.saturating_duration_since(failures.last) < BLOCKED_FOR;
        let before = failures.get(&who).copied().filter(blocks);
        if let Some(before) = before.filter(|failures| failures.number >= MAX_FAILURES) {
            let left = BLOCKED_FOR.saturating_sub(now.saturating_duration_since(before.last));
            return Access::refused(Refusal::TooManyFailures(left));
        }
        // Every user is compared, so that the time does not tell which names exist.
        let mut found = None;
        for user in &self.users {
            let is_user = user.name == claimed;
            let is_right =
                user.password.clone().verify_slice(&digest(&password).finalize().into_bytes()).is_ok();
            if is_user && is_right {
                found = Some(&user.access);
            }
        }
        if let Some(access) = found {
            failures.remove(&who);
            return access.clone();
        }
        if failures.len() >= MAX_REMEMBERED {
            failures.retain(|_, failures| blocks(failures));
        }
        // Under attack from so many addresses, only right passwords are let in.
        if failures.len() >= MAX_REMEMBERED && !failures.contains_key(&who) {
            return Access::refused(Refusal::TooManyFailures(BLOCKED_FOR));
        }
        failures.insert(who, Failures { number: before.map_or(1, |before| before.number + 1), last: now });
        Access::refused(Refusal::Unauthenticated)
    }
}

/// The digest of a password. Two digests have the same length, and are compared in constant time.
fn digest(password: &[u8]) -> Digest {
    Digest::new_from_slice(b"graceful console").expect("HMAC takes keys of any length").chain_update(password)
}

fn credentials(parts: &Parts) -> Option<(String, Vec<u8>)> {
    let header = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    let decoded =
        BASE64_STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    Some((String::from_utf8(decoded[..colon].to_vec()).ok()?, decoded[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(credentials: &str) -> Parts {
        let header = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        http::Request::builder().header(AUTHORIZATION, header).body(()).unwrap().into_parts().0
    }

    #[test]
    fn right_password_has_access() {
        let basic = basic().user("ada", "a:b", [Permission::Jobs]).user("bob", "x", []);
        let now = Instant::now();
        assert!(basic.asked(&request("ada:a:b"), now).may(Permission::Jobs));
        assert!(!basic.asked(&request("bob:x"), now).may(Permission::Jobs));
        assert_eq!(basic.asked(&request("bob:x"), now).refusal(), None);
        for wrong in ["ada:x", "ada:", "ada", "bob:a:b", ":x", "ADA:a:b", "carol:x"] {
            assert_eq!(
                basic.asked(&request(wrong), now).refusal(),
                Some(Refusal::Unauthenticated),
                "{wrong}"
            );
        }
    }

    #[test]
    fn ten_failures_block_a_name_for_a_minute() {
        let (basic, start) = (basic().user("ada", "x", []).user("bob", "y", []), Instant::now());
        for _ in 0..10 {
            assert_eq!(basic.asked(&request("ada:no"), start).refusal(), Some(Refusal::Unauthenticated));
        }
        let blocked = Some(Refusal::TooManyFailures(BLOCKED_FOR));
        assert_eq!(basic.asked(&request("ada:x"), start).refusal(), blocked, "the right password, too");
        assert_eq!(basic.asked(&request("bob:y"), start).refusal(), None);
        assert_eq!(basic.asked(&request("ada:x"), start + BLOCKED_FOR).refusal(), None);
    }

    #[test]
    fn names_that_do_not_exist_share_one_entry() {
        let (basic, now) = (basic().user("ada", "x", []), Instant::now());
        for number in 0..10 {
            let asked = basic.asked(&request(&format!("{number}:no")), now);
            assert_eq!(asked.refusal(), Some(Refusal::Unauthenticated));
        }
        assert_eq!(
            basic.asked(&request("carol:no"), now).refusal(),
            Some(Refusal::TooManyFailures(BLOCKED_FOR))
        );
        assert_eq!(basic.failures.lock().unwrap().len(), 1);
        assert_eq!(basic.asked(&request("ada:x"), now).refusal(), None);
    }

    #[test]
    fn success_forgets_failures() {
        let (basic, now) = (basic().user("ada", "x", []), Instant::now());
        for _ in 0..3 {
            for _ in 0..9 {
                basic.asked(&request("ada:no"), now);
            }
            assert_eq!(basic.asked(&request("ada:x"), now).refusal(), None);
        }
    }
}
