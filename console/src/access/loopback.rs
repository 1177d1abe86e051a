//! Access from the same machine.

use std::{
    future::{Ready, ready},
    net::{IpAddr, SocketAddr},
};

use axum::extract::ConnectInfo;
use http::{HeaderMap, header::HOST, request::Parts};

use super::{Access, Permission};

/// The name of the operator.
const WHO: &str = "loopback";

/// The headers that a proxy adds, beside those that begin with `x-forwarded`. Behind a proxy each request seems to come from the same machine.
const FORWARDING: [&str; 7] =
    ["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip", "x-original-host"];

/// How the other headers of a proxy begin.
const X_FORWARDED: &str = "x-forwarded";

/// Access for programs of the same machine, with these permissions: for development, and behind an SSH tunnel. Everybody else is refused, with
/// 403.
///
/// The peer's address must be a loopback address, so the server must provide it:
/// `router.into_make_service_with_connect_info::<SocketAddr>()`; without it everybody is refused. `Host` must name this machine, so that no
/// page of another site can reach the console by a name of its own that resolves to this machine. A request with a header of a proxy is
/// refused; a proxy that adds no header, and sends its own `Host`, cannot be recognised: do not put one before it. The operator's name counts as unverified.
///
/// ```
/// use graceful_console::access::{Permission, loopback};
/// let everything = loopback(Permission::ALL);
/// let reading = loopback([]);
/// ```
pub fn loopback(
    permissions: impl IntoIterator<Item = Permission>,
) -> impl Fn(Parts) -> Ready<Access> + Clone + Send + Sync + 'static {
    let permitted = Access::act(WHO, permissions).unverified();
    move |parts| {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let adds = |name: &str| FORWARDING.contains(&name) || name.starts_with(X_FORWARDED);
        let is_forwarded = parts.headers.keys().any(|name| adds(name.as_str()));
        let is_local = peer.is_some_and(is_loopback) && names_loopback(&parts.headers) && !is_forwarded;
        ready(if is_local { permitted.clone() } else { Access::forbidden() })
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn names_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<http::uri::Authority>().ok()) else {
        return false;
    };
    if host.as_str().contains('@') {
        return false;
    }
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| is_loopback(address))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn asked(peer: Option<IpAddr>, headers: &[(&str, &str)]) -> Access {
        let mut request = http::Request::new(());
        request.extensions_mut().extend(
            peer.map(|ip| {
                let mut one = http::Extensions::new();
                one.insert(ConnectInfo(SocketAddr::new(ip, 7)));
                one
            })
            .unwrap_or_default(),
        );
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        loopback([Permission::Jobs])(request.into_parts().0).into_inner()
    }

    const LOCAL: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

    #[test]
    fn loopback_peer_and_host_have_access() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "[::1]:80", "127.9.9.9"] {
            assert!(asked(LOCAL, &[("host", host)]).may(Permission::Jobs), "{host}");
        }
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        assert!(asked(Some(mapped), &[("host", "[::ffff:127.0.0.1]")]).may(Permission::Jobs));
    }

    #[test]
    fn other_hosts_peers_and_proxies_are_refused() {
        let forbidden = Access::forbidden();
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "",
            "x@127.0.0.1",
        ] {
            assert_eq!(asked(LOCAL, &[("host", host)]), forbidden, "{host}");
        }
        assert_eq!(asked(LOCAL, &[]), forbidden);
        assert_eq!(asked(LOCAL, &[("host", "localhost"), ("host", "evil.example")]), forbidden);
        for name in
            FORWARDING.into_iter().chain(["x-forwarded-for", "x-forwarded-prefix", "x-forwarded-proto"])
        {
            assert_eq!(asked(LOCAL, &[("host", "localhost"), (name, "1.2.3.4")]), forbidden, "{name}");
        }
        assert_eq!(asked(Some("10.0.0.1".parse().unwrap()), &[("host", "localhost")]), forbidden);
        assert_eq!(asked(None, &[("host", "localhost")]), forbidden);
    }
}
