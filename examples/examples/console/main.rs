//! The web console over a service that makes traffic on both arms, with a few causes of failures.
//!
//! ```text
//! cargo run --example console                                     an embedded store, in a new directory
//! cargo run --example console -- postgres://postgres@127.0.0.1    PostgreSQL
//! cargo run --example console -- sqlite://shop.db 127.0.0.1:9000
//! ```

mod shop;

use std::{env, error::Error, net::SocketAddr, process::ExitCode, time::Duration};

use axum::response::Redirect;
use graceful::{Orchestrator, OrchestratorBuilder, RelaySettings};
use graceful_console::{
    Accent, Console,
    access::{Permission, loopback},
    measurements::Measurements,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => run(None, "127.0.0.1:0").await,
        [database] => run(Some(database), "127.0.0.1:0").await,
        [database, address] => run(Some(database), address).await,
        _ => Err("usage: console [DATABASE_URL [ADDRESS]]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("console: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(database: Option<&str>, address: &str) -> Result<(), Box<dyn Error>> {
    let measurements = Measurements::default();
    let observed = measurements.clone();
    // A flow that has failed three times is a dead letter after a second: there is something to see soon.
    let relay =
        RelaySettings::default().attempts(3).backoff(Duration::from_millis(100), Duration::from_secs(1));
    let orchestrator = store(database)
        .await?
        .service("shop")
        .environment("demo")
        .events(shop::Broker::default())
        .in_memory()
        .relay(relay)
        .on_report(move |report| observed.observe(report))
        .build()?;

    let console = Console::new(&orchestrator, loopback(Permission::ALL)).at("/ops");
    let console = console.accent(Accent::Purple).measurements(&measurements);
    let app = axum::Router::new()
        .route("/", axum::routing::get(async || Redirect::to("/ops/")))
        .merge(console.router());
    let listener = TcpListener::bind(address).await?;
    println!("the console is at http://{}/ops/; Ctrl-C ends it", listener.local_addr()?);
    tokio::spawn(shop::traffic(orchestrator.clone()));
    orchestrator.install()?;
    graceful::axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

async fn store(database: Option<&str>) -> Result<OrchestratorBuilder, Box<dyn Error>> {
    if let Some(url) = database {
        let backends = [graceful_sqlite::BACKEND, graceful_postgres::BACKEND];
        return Ok(Orchestrator::builder().settings(&backends, [("GRACEFUL_STORE", url)]).await?);
    }
    let directory = env::temp_dir().join(format!("graceful-console-{}", std::process::id()));
    println!("its data are in {}", directory.display());
    Ok(graceful_sqlite::embedded(directory).await?)
}
