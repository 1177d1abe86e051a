//! The clients: each sends one request five times at once, hangs up at random, and repeats it until it has an answer.

use std::{
    net::SocketAddr,
    sync::Arc,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::task::JoinSet;

use super::KINDS;

/// How often a client sends its request at once.
const AT_ONCE: usize = 5;

/// The addresses of the two processes, and whether the kills are over.
#[derive(Debug, Default)]
pub struct Addresses {
    known: Mutex<[Option<SocketAddr>; 2]>,
    finished: AtomicBool,
}

impl Addresses {
    pub fn set(&self, number: usize, address: SocketAddr) {
        self.known.lock().unwrap()[number] = Some(address);
    }

    /// From now on no new client begins.
    pub fn finish(&self) {
        self.finished.store(true, Ordering::SeqCst);
    }

    fn any(&self) -> Option<SocketAddr> {
        self.known.lock().unwrap()[fastrand::usize(0..2)]
    }
}

type Http = Client<HttpConnector, Full<Bytes>>;

/// Runs so many clients of each kind at a time, until the kills are over. Returns how many there were.
pub async fn work(addresses: Arc<Addresses>, url: String, at_a_time: usize) -> usize {
    let pool = PgPoolOptions::new().max_connections(10).connect(&url).await.unwrap();
    let (begun, mut workers) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for kind in KINDS {
        for _ in 0..at_a_time {
            let (addresses, pool, begun) = (Arc::clone(&addresses), pool.clone(), Arc::clone(&begun));
            workers.spawn(async move {
                loop {
                    let number = begun.fetch_add(1, Ordering::SeqCst);
                    client(kind, number, &addresses, &pool).await;
                    if addresses.finished.load(Ordering::SeqCst) {
                        break;
                    }
                }
            });
        }
    }
    workers.join_all().await;
    begun.load(Ordering::SeqCst)
}

/// One client: all of its requests get the same answer.
async fn client(kind: &'static str, number: usize, addresses: &Arc<Addresses>, pool: &PgPool) {
    let mut sending = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (addresses, pool) = (Arc::clone(addresses), pool.clone());
        sending.spawn(async move {
            let http = Client::builder(TokioExecutor::new()).build_http();
            loop {
                if let Some(answer) = sent(&http, kind, number, &addresses).await {
                    acknowledge(&pool, kind, number, answer).await;
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(fastrand::u64(1..50))).await;
            }
        });
    }
    let answers = sending.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{kind} {number}: {answers:?}");
}

/// Sends the request once, and hangs up after some time. `None` without an `Ok`.
async fn sent(http: &Http, kind: &str, number: usize, addresses: &Addresses) -> Option<i64> {
    let uri = format!("http://{}/{kind}/{number}", addresses.any()?);
    let request = Request::post(uri).header("idempotency-key", format!("{kind}-{number}"));
    let exchange = async {
        let response = http.request(request.body(Full::default()).unwrap()).await.ok()?;
        let (status, body) = (response.status(), response.into_body().collect().await.ok()?.to_bytes());
        let is_refused = [409, 500, 503].contains(&status.as_u16());
        assert!(status.is_success() || is_refused, "{status}: {body:?}");
        status.is_success().then(|| serde_json::from_slice(&body).unwrap())
    };
    let patience = Duration::from_millis(if fastrand::bool() { fastrand::u64(5..100) } else { 5_000 });
    tokio::time::timeout(patience, exchange).await.ok().flatten()
}

async fn acknowledge(pool: &PgPool, kind: &str, number: usize, answer: i64) {
    sqlx::query("INSERT INTO acknowledged VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
        .bind(kind)
        .bind(format!("{kind}-{number}"))
        .bind(answer)
        .execute(pool)
        .await
        .unwrap();
}
