//! The path at which browsers see the console.

use axum::extract::NestedPath;
use http::{HeaderMap, request::Parts};

/// The path of the console's first page, with a slash at both ends: the base of all links.
///
/// `public_path` is what the application declares. Otherwise it is where the router is nested, behind what a proxy says that it has removed.
pub(crate) fn base(parts: &Parts, at: &str, public_path: Option<&str>) -> String {
    let path = match public_path {
        Some(path) => path.to_owned(),
        None => {
            let nested = parts.extensions.get::<NestedPath>().map_or("", |path| path.as_str());
            format!("{}{}{at}", forwarded(&parts.headers).unwrap_or_default(), nested.trim_end_matches('/'))
        }
    };
    match path.trim_matches('/') {
        "" => "/".to_owned(),
        path => format!("/{path}/"),
    }
}

/// The prefix that a proxy has removed, if it is only a path: a host would lead out of the console.
fn forwarded(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("x-forwarded-prefix").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let path = value.to_str().ok()?.trim_end_matches('/');
    is_path(path).then_some(path)
}

/// Whether this is an absolute path of plain segments.
pub(crate) fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_plain)
    };
    path.strip_prefix('/').is_some_and(|path| path.len() <= 200 && path.split('/').all(is_segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_of(prefix: &[&str], at: &str, public_path: Option<&str>) -> String {
        let mut request = http::Request::new(());
        for value in prefix {
            request.headers_mut().append("x-forwarded-prefix", value.parse().unwrap());
        }
        base(&request.into_parts().0, at, public_path)
    }

    #[test]
    fn base_has_the_prefix_of_the_proxy() {
        assert_eq!(base_of(&[], "", None), "/");
        assert_eq!(base_of(&[], "/ops", None), "/ops/");
        assert_eq!(base_of(&["/admin"], "/ops", None), "/admin/ops/");
        assert_eq!(base_of(&["/a/b/"], "", None), "/a/b/");
        assert_eq!(base_of(&["/admin"], "/ops", Some("/x")), "/x/");
    }

    #[test]
    fn prefix_that_is_no_path_is_ignored() {
        for wrong in [
            "//evil.example",
            "https://evil.example",
            "/a//b",
            "/../x",
            "/a\"b",
            "/a b",
            "ops",
            "/%2F",
            "\\x",
        ] {
            assert_eq!(base_of(&[wrong], "/ops", None), "/ops/", "{wrong}");
        }
        assert_eq!(base_of(&["/a", "/b"], "/ops", None), "/ops/");
    }
}
