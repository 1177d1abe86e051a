//! Real HTTP over loopback.

use std::net::SocketAddr;

use axum::{Router, body::Body};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::net::TcpListener;

use crate::gate::awaited;

/// A server of these routes, until the runtime ends.
pub async fn serve(routes: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    Server::at(address)
}

/// A server, and a client of it.
#[derive(Clone, Debug)]
pub struct Server {
    pub address: SocketAddr,
    client: Client<HttpConnector, Full<bytes::Bytes>>,
}

impl Server {
    pub fn at(address: SocketAddr) -> Self {
        Self { address, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends a request for a path, and reads the whole answer.
    pub async fn send(&self, request: Request<String>) -> Response<String> {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{}{}", self.address, parts.uri).parse().unwrap();
        let request = Request::from_parts(parts, Full::from(body));
        let (parts, body) = awaited(self.client.request(request)).await.unwrap().into_parts();
        let body = awaited(body.collect()).await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
    }

    pub async fn get(&self, path: &str) -> Response<String> {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }
}

/// The whole answer of a service that is called without a server.
pub async fn read(response: Response<Body>) -> Response<String> {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
}
