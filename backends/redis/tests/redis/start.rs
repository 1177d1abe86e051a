//! A connection that cannot work is refused at once, without showing a secret.

use graceful::backends::Cache as _;
use graceful_redis::Cache;
use graceful_tests::servers::Server;

use super::{Redis, entry, url};

async fn refused(url: &str) -> String {
    let error = Cache::connect(url).await.unwrap_err();
    let (text, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!text.contains("s3cret") && !debug.contains("s3cret"), "{text} {debug}");
    text
}

#[test]
async fn invalid_url_is_refused_without_showing_it() {
    for url in [
        "",
        "s3cret",
        "http://:s3cret@127.0.0.1",
        "redis://:s3cret@",
        "redis://:s3cret@127.0.0.1:99999",
        "redis://:s3cret@127.0.0.1/users",
        "redis://%ff:s3cret@127.0.0.1",
    ] {
        let text = refused(url).await;
        assert!(text.starts_with("not a URL of Redis; "), "{url}: {text}");
    }
}

#[test]
async fn unreachable_server_is_refused_with_its_address() {
    let text = refused("redis://:s3cret@127.0.0.1:1").await;
    assert!(text.starts_with("Redis at 127.0.0.1:1 cannot be used: "), "{text}");
    assert!(text.contains("refused"), "{text}");
}

#[test(requires("redis-server"))]
async fn wrong_or_missing_password_is_refused() {
    let server = Server::redis(&["--requirepass", "right"]).await;
    let address = server.address();
    let text = refused(&format!("redis://:s3cret@{address}")).await;
    assert!(text.starts_with(&format!("Redis at {address} cannot be used: ")), "{text}");
    let text = refused(&format!("redis://{address}")).await;
    assert!(text.contains("NOAUTH") || text.contains("uthentication required"), "{text}");

    let cache = Cache::connect(&format!("redis://:right@{address}")).await.unwrap();
    assert!(!format!("{cache:?}").contains("right"), "{cache:?}");
}

#[test(requires(Redis))]
async fn missing_database_is_refused() {
    let redis = Redis::connect().await;
    let text = refused(&format!("{}/123456", url(redis.address))).await;
    assert!(text.contains("cannot be used"), "{text}");
}

#[test(requires("redis-server"))]
async fn node_of_a_cluster_is_refused() {
    let server = Server::redis(&["--cluster-enabled", "yes"]).await;
    let text = refused(&format!("redis://{}", server.address())).await;
    let place = format!("Redis at {} is a node of a Redis Cluster", server.address());
    assert!(text.starts_with(&place) && text.contains("`cluster-enabled no`"), "{text}");
}

#[test(requires(Redis, "redis-server"))]
async fn sentinel_is_refused() {
    let redis = Redis::connect().await;
    let server = Server::start("redis-server", |port, directory| {
        let file = format!("{directory}/sentinel.conf");
        let watched = format!("sentinel monitor main 127.0.0.1 {} 1\n", redis.address.port());
        std::fs::write(&file, format!("port {port}\nbind 127.0.0.1\ndir {directory}\n{watched}")).unwrap();
        vec![file, "--sentinel".to_owned()]
    })
    .await;
    let text = refused(&format!("redis://{}", server.address())).await;
    assert!(text.contains("is a Sentinel"), "{text}");
}

#[test(requires("redis-server"))]
async fn replica_is_refused_unless_it_takes_writes() {
    let server = Server::redis(&["--replicaof", "127.0.0.1 1"]).await;
    let text = refused(&format!("redis://{}", server.address())).await;
    assert!(text.contains("is a replica") && text.contains("primary"), "{text}");
    let server = Server::redis(&["--replicaof", "127.0.0.1 1", "--replica-read-only", "no"]).await;
    Cache::connect(&format!("redis://{}", server.address())).await.unwrap();
}

#[test(requires("redis-server"))]
async fn user_who_may_not_ask_for_the_mode_is_served() {
    let server = Server::redis(&[]).await;
    let client = redis::Client::open(format!("redis://{}", server.address())).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut limited = redis::cmd("ACL");
    limited.arg(&["SETUSER", "limited", "on", ">right", "~*", "&*", "+@all", "-info"]);
    limited.query_async::<()>(&mut connection).await.unwrap();
    Cache::connect(&format!("redis://limited:right@{}", server.address())).await.unwrap();
}

#[test(requires("redis-server"))]
async fn databases_are_apart() {
    let server = Server::redis(&[]).await;
    let key = graceful::Key::new("users", None, "user", "1");
    let of = async |database: &str| {
        Cache::connect(&format!("redis://{}/{database}", server.address())).await.unwrap()
    };
    of("3").await.put(&key, entry("ada", None), None).await.unwrap();
    assert!(of("3").await.get(&key).await.unwrap().is_some());
    assert!(of("0").await.get(&key).await.unwrap().is_none());
}
