//! A user service over REST and gRPC, on a database of your choice; it prints the report of each call.
//!
//! ```text
//! cargo run --example users                                      SQLite, in the file users.db
//! cargo run --example users -- postgres://postgres@127.0.0.1     PostgreSQL
//! cargo run --example users -- sqlite://users.db 127.0.0.1:9000 127.0.0.1:9001
//! ```
//!
//! The README walks through it.

use std::{env, error::Error, process::ExitCode, sync::Arc};

use graceful::{FlowReport, Orchestrator};
use graceful_examples::users::{AnyMail, Domains, Users, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => run("sqlite://users.db", "127.0.0.1:8080", "127.0.0.1:50051").await,
        [database] => run(database, "127.0.0.1:8080", "127.0.0.1:50051").await,
        [database, rest, grpc] => run(database, rest, grpc).await,
        _ => Err("usage: users [DATABASE_URL [REST_ADDRESS GRPC_ADDRESS]]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("users: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(database: &str, rest: &str, grpc: &str) -> Result<(), Box<dyn Error>> {
    // What must survive a restart is in the database of the users, the rest in memory.
    let orchestrator = Orchestrator::builder()
        .service("users")
        .settings(&[graceful_sqlite::BACKEND, graceful_postgres::BACKEND], [("GRACEFUL_STORE", database)])
        .await?
        .in_memory()
        .on_report(print_call)
        .build()?;
    let users = Users::open(database, AnyMail).await?;
    let domains = Domains::open(database).await?;
    // They end with the orchestrator. If they cannot begin, neither does the service.
    let subscribers = orchestrator.subscribers().provide(domains.clone()).run();
    let (rest, grpc) = (TcpListener::bind(rest).await?, TcpListener::bind(grpc).await?);
    println!("REST on http://{}, gRPC on http://{}; Ctrl-C ends it", rest.local_addr()?, grpc.local_addr()?);
    let subscribed = async { Ok::<_, Box<dyn Error>>(subscribers.await?) };
    let served = async { Ok(serve(Arc::new(users), domains, &orchestrator, rest, grpc).await?) };
    tokio::try_join!(subscribed, served)?;
    Ok(())
}

/// The reports of calls, and not of the events that follow them.
fn print_call(report: &FlowReport) {
    if !["created", "updated", "deleted"].contains(&report.flow().handler()) {
        println!("{report}");
    }
}
