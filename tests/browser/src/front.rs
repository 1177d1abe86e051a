//! Reverse proxies, as operators put them in front of a service.

use std::net::SocketAddr;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
};
use http::{HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// A reverse proxy on a free port. It forwards the `Host` that the client sent, and passes each part of a body on when it comes.
#[derive(Clone, Debug)]
pub struct Front {
    address: SocketAddr,
    prefix: &'static str,
}

/// What is behind the proxy, and how a request's path gets there.
#[derive(Clone, Debug)]
struct Upstream {
    address: SocketAddr,
    prefix: &'static str,
    path: Path,
    client: Client<HttpConnector, Body>,
}

#[derive(Clone, Copy, Debug)]
enum Path {
    Stripped,
    Kept,
    Decoded,
}

const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// Of one connection, so a proxy does not forward them.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::TE, header::TRANSFER_ENCODING, header::UPGRADE];

/// What nginx encodes again.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?');

impl Front {
    /// Removes this prefix, such as `/ops`, from paths, and sends it as `X-Forwarded-Prefix`. A path without it is 404.
    pub async fn stripping(prefix: &'static str, server: SocketAddr) -> Self {
        Self::start(prefix, server, Path::Stripped).await
    }

    /// Leaves this prefix in paths. A path without it is 404.
    pub async fn keeping(prefix: &'static str, server: SocketAddr) -> Self {
        Self::start(prefix, server, Path::Kept).await
    }

    /// Decodes the percent-encoding of paths, removes `.`, `..` and empty segments, and encodes only what no path may contain, as nginx does with
    /// `proxy_pass http://server/`. So `/a%2Fb` arrives as `/a/b`. Queries stay as they are.
    pub async fn decoding(server: SocketAddr) -> Self {
        Self::start("", server, Path::Decoded).await
    }

    async fn start(prefix: &'static str, server: SocketAddr, path: Path) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let upstream = Upstream { address: server, prefix, path, client };
        let routes = Router::new().fallback(forward).with_state(upstream);
        Self { address: graceful_tests::http::serve(routes).await.address, prefix }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Such as `http://127.0.0.1:8080`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL of a path below the prefix, as a client writes it.
    pub fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.origin(), self.prefix)
    }
}

async fn forward(State(upstream): State<Upstream>, mut request: Request) -> Response<Body> {
    let Some(uri) = upstream.uri(request.uri()) else {
        return error(StatusCode::NOT_FOUND, "the proxy forwards no such path");
    };
    *request.uri_mut() = uri;
    remove_hop_by_hop(request.headers_mut());
    // What a client sends must not reach the server.
    request.headers_mut().remove(PREFIX);
    if matches!(upstream.path, Path::Stripped) {
        request.headers_mut().insert(PREFIX, HeaderValue::from_static(upstream.prefix));
    }
    match upstream.client.request(request).await {
        Ok(mut response) => {
            remove_hop_by_hop(response.headers_mut());
            response.map(Body::new)
        }
        Err(_) => error(StatusCode::BAD_GATEWAY, "the server does not answer"),
    }
}

fn remove_hop_by_hop(headers: &mut http::HeaderMap) {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn error(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

impl Upstream {
    /// `None` where the prefix is missing.
    fn uri(&self, requested: &Uri) -> Option<Uri> {
        let path = requested.path();
        let below =
            path.strip_prefix(self.prefix).filter(|below| below.is_empty() || below.starts_with('/'))?;
        let path = match self.path {
            Path::Kept => path.to_owned(),
            Path::Stripped if below.is_empty() => "/".to_owned(),
            Path::Stripped => below.to_owned(),
            Path::Decoded => decoded(path),
        };
        let query = requested.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("http://{}{path}{query}", self.address).parse().ok()
    }
}

fn decoded(path: &str) -> String {
    let bytes: Vec<u8> = percent_decode_str(path).collect();
    let mut segments: Vec<&[u8]> = Vec::new();
    for segment in bytes.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.extend(percent_encode(segment, NOT_IN_PATHS));
    }
    if path.is_empty() || bytes.ends_with(b"/") {
        path.push('/');
    }
    path
}
