//! URLs with secrets in them: which parts may be shown in errors and logs.

/// The hint at the end of an error about a URL that cannot be parsed.
pub const ENCODE: &str = "; percent-encode special characters in a user, a password or a path, such as `%40` for `@` and `%2F` for `/`";

/// Whether the parts of a URL are unambiguous. A password that is not percent-encoded would move the borders between the parts, and a part of it would be
/// shown as the host.
pub fn is_well_formed(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (authority, behind) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
    url.chars().all(is_plain) && authority.matches('@').count() <= 1 && !behind.contains('@')
}

/// The name of a server for messages, with host and port if these are certainly no secret: an IP address, or `localhost`.
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
