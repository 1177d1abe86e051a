//! Constructors work under paused time, which advances to the next timer whenever every task waits, although a file or a server
//! is still working.

use graceful_tests::servers;

#[tokio::test(start_paused = true)]
async fn embedded_opens_under_paused_time() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        graceful_sqlite::embedded(dir.path()).await.unwrap().build().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn servers_connect_under_paused_time() {
    let (Some(redis), Some(nats), Some(postgres)) =
        (servers::redis().await, servers::nats().await, servers::postgres().await)
    else {
        return;
    };
    graceful_redis::Cache::connect(&format!("redis://{redis}")).await.unwrap();
    let url = format!("nats://{nats}?stream={}", servers::unique("paused"));
    graceful_nats::Events::connect(&url).await.unwrap();
    graceful_nats::Subscriber::connect(&url, "greeter", &graceful_nats::Filter::new()).await.unwrap();
    let url = format!("postgres://postgres@{postgres}/test");
    graceful_postgres::Store::migrate(&url).await.unwrap();
    graceful_postgres::Store::connect(&url).await.unwrap();
}
