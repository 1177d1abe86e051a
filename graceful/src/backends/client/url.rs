//! URLs with secrets in them: which parts may be shown in errors and logs.

/// The end of an error about a URL that cannot be parsed: what to write instead.
pub const ENCODE: &str = "; percent-encode special characters in a user, a password or a path, such as `%40` for `@` and `%2F` for `/`";

/// Whether each part of a URL is in its place. A password that is not percent-encoded moves the borders of the parts, and a piece of
/// it would be taken for a host, and shown.
pub fn is_well_formed(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
    url.chars().all(is_plain) && authority.matches('@').count() <= 1 && !behind.contains('@')
}

/// A server, for people: with host and port where these can be no secret in the wrong place, as any name could.
pub fn place(server: &str, host: &str, port: u16) -> String {
    if host.parse::<std::net::Ipv6Addr>().is_ok() {
        return format!("{server} at [{host}]:{port}");
    }
    let is_shown = host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok();
    if is_shown { format!("{server} at {host}:{port}") } else { server.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::is_well_formed;

    #[test]
    fn url_whose_password_is_not_encoded_is_not_well_formed() {
        for url in ["redis://a", "redis://u:p@a:1/2?x=y", "https://a/b#c", "redis://u:p%40%2F@a"] {
            assert!(is_well_formed(url), "{url}");
        }
        for url in [
            "",
            "a",
            "redis://u:1@2@a",
            "redis://u:1/2@a",
            "redis://u:1?2@a",
            "redis://u:1#2@a",
            "redis://a b",
        ] {
            assert!(!is_well_formed(url), "{url}");
        }
    }
}
