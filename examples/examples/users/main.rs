//! A user service over REST and gRPC, on the embedded backends; each call prints what followed it.
//!
//! ```text
//! cargo run --example users                                    127.0.0.1:8080 and 127.0.0.1:50051
//! cargo run --example users -- 127.0.0.1:9000 127.0.0.1:9001   other addresses
//! ```
//!
//! ```text
//! curl -i 127.0.0.1:8080/users -H 'authorization: Bearer token-of-root' --json '{"name": "ada", "email": "ada@example.org"}'
//! curl -i 127.0.0.1:8080/users/1 -H 'authorization: Bearer token-of-ada'
//! curl -i 127.0.0.1:8080/users/1 -H 'authorization: Bearer token-of-bob' -X DELETE
//! ```

use std::{env, error::Error, process::ExitCode, sync::Arc, time::Duration};

use graceful::Orchestrator;
use graceful_examples::users::{AnyMail, Users, serve};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => run("127.0.0.1:8080", "127.0.0.1:50051").await,
        [rest, grpc] => run(rest, grpc).await,
        _ => Err("usage: users [REST_ADDRESS GRPC_ADDRESS]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("users: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(rest: &str, grpc: &str) -> Result<(), Box<dyn Error>> {
    let orchestrator = Orchestrator::builder()
        .service("users")
        .in_memory()
        .on_report(|report| println!("{report}"))
        .build()?;
    let (rest, grpc) = (TcpListener::bind(rest).await?, TcpListener::bind(grpc).await?);
    println!("REST on http://{}, gRPC on http://{}; Ctrl-C ends it", rest.local_addr()?, grpc.local_addr()?);
    tokio::select! {
        ended = serve(Arc::new(Users::new(AnyMail)), &orchestrator, rest, grpc) => ended?,
        asked = tokio::signal::ctrl_c() => asked?,
    }
    match orchestrator.shutdown(Duration::from_secs(10)).await {
        0 => Ok(()),
        left => Err(format!("{left} flows were left").into()),
    }
}
