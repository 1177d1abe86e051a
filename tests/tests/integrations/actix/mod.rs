//! A service of actix-web over real HTTP: its futures are not `Send`, and each worker has a runtime of its own.
#![allow(missing_docs, reason = "tests")]

use std::{rc::Rc, sync::Arc};

use actix_web::{App, HttpResponse, HttpServer, ResponseError, dev::Service as _, http::StatusCode, web};
use graceful::{CallOutcome, Classify, Code, Context, Step, orchestrate};
use graceful_tests::{Gate, User, World, ada, http::Server};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

#[derive(Debug, Classify)]
enum UserError {
    #[classify(code = NotFound, message = "no user {0}")]
    Missing(u64),
    #[classify(code = Unavailable, message = "come back later")]
    Away,
}

impl std::fmt::Display for UserError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&Classify::message(self))
    }
}

impl ResponseError for UserError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code().http_status()).unwrap()
    }
}

/// Held over an `await`, it makes the handler `!Send`.
async fn found(id: u64) -> Result<User, UserError> {
    let local = Rc::new(id);
    tokio::task::yield_now().await;
    match *local {
        1 => Err(UserError::Missing(1)),
        2 => Err(UserError::Away),
        _ => Ok(ada()),
    }
}

#[orchestrate(pattern = "user", cache = *id, event = "user_read")]
async fn json(id: web::Path<u64>) -> Result<web::Json<User>, UserError> {
    found(*id).await.map(web::Json)
}

#[orchestrate(pattern = "user", cache = *id, event = "user_read")]
#[actix_web::get("/inside/{id}")]
async fn opaque(id: web::Path<u64>) -> Result<HttpResponse, UserError> {
    found(*id).await.map(|user| HttpResponse::Ok().json(user))
}

#[actix_web::get("/hangs")]
async fn hangs(gate: web::Data<Gate>) -> Result<HttpResponse, UserError> {
    waits(&gate).await
}

#[orchestrate(pattern = "wait", id = 1, delivery = "background")]
async fn waits(gate: &Gate) -> Result<HttpResponse, UserError> {
    let local = Rc::new(());
    gate.pass().await;
    drop(local);
    Ok(HttpResponse::NoContent().finish())
}

/// A server with two workers; what a request's context is comes from a middleware, which is where actix has it.
fn served(world: &World) -> (Server, Arc<Gate>) {
    let (orchestrator, gate) = (world.orchestrator.clone(), Arc::new(Gate::closed()));
    let shared = web::Data::from(Arc::clone(&gate));
    let server = HttpServer::new(move || {
        let orchestrator = orchestrator.clone();
        App::new()
            .app_data(shared.clone())
            .wrap_fn(move |request, service| {
                let id =
                    request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or("none");
                let context = Context::new().request_id(id);
                context.scope(orchestrator.scope(service.call(request)))
            })
            .route("/json/{id}", web::get().to(json))
            .service(opaque)
            .service(hangs)
    })
    .workers(2)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let address = server.addrs()[0];
    tokio::task::spawn_local(server.run());
    (Server::at(address), gate)
}

#[actix_web::test]
async fn handlers_over_http_run_both_flows() {
    let world = World::new();
    let (server, _) = served(&world);
    for route in ["json", "inside"] {
        for (id, status, ending, code) in [
            (42, 200, CallOutcome::Ok, Code::Ok),
            (1, 404, CallOutcome::Err, Code::NotFound),
            (2, 503, CallOutcome::Err, Code::Unavailable),
        ] {
            let request = http::Request::get(format!("/{route}/{id}")).header("x-request-id", "r-1");
            let answer = server.send(request.body(String::new()).unwrap()).await;
            assert_eq!(answer.status(), status, "{route}");
            let report = world.reports.last();
            let flow = report.flow();
            assert_eq!((flow.ending(), flow.code()), (ending, code), "{route}");
            assert_eq!(flow.entity_id(), id.to_string());
            assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));
            assert_eq!(report.step(Step::Event).to_string(), "emitted");
            assert!(report.failures().next().is_none(), "{report}");
        }
    }
    assert_eq!(world.reports.count(), 6);
}

#[actix_web::test]
async fn payload_of_json_is_its_value() {
    let world = World::new();
    let (server, _) = served(&world);
    server.get("/json/42").await;
    assert_eq!(world.orchestrator.cached::<User>("user", 42).await.unwrap(), Some(ada()));
    assert_eq!(world.events()[0].data().result.as_json(), r#"{"id":42,"name":"Ada"}"#);
    server.get("/json/2").await;
    assert!(world.events()[1].data().result.is_null());
}

#[actix_web::test]
async fn disconnected_client_leaves_the_error_flow() {
    let world = World::new();
    let (server, gate) = served(&world);
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(b"GET /hangs HTTP/1.1\r\nhost: x\r\nx-request-id: r-1\r\n\r\n").await.unwrap();
    gate.reached().await;
    // With a reset: one that only says that it sends no more may still want the answer.
    client.set_zero_linger().unwrap();
    drop(client);
    let flow = world.reports.until(1).await[0].flow().clone();
    assert_eq!((flow.ending(), flow.code()), (CallOutcome::Cancelled, Code::Cancelled));
    assert_eq!(flow.context().unwrap().request_id.as_deref(), Some("r-1"));

    gate.open_for(1);
    assert_eq!(server.get("/hangs").await.status(), 204);
    let flow = world.reports.until(2).await[1].flow().clone();
    assert_eq!(flow.ending(), CallOutcome::Ok);
}

/// Of errors of actix-web itself only the status of the response is known.
#[actix_web::test]
async fn errors_of_actix_are_classified_by_their_status() {
    use actix_web::error::{Error, ErrorBadRequest, ErrorServiceUnavailable, InternalError};

    #[orchestrate(pattern = "page", id = 1)]
    async fn page(error: Error) -> Result<HttpResponse, Error> {
        Err(error)
    }

    #[orchestrate(pattern = "page", id = 1)]
    async fn redirected(status: StatusCode) -> Result<HttpResponse, InternalError<&'static str>> {
        Err(InternalError::from_response("a secret text", HttpResponse::new(status)))
    }

    let world = World::new();
    for (error, code) in [
        (ErrorBadRequest("a secret text"), Code::InvalidArgument),
        (ErrorServiceUnavailable("a secret text"), Code::Unavailable),
        (UserError::Missing(7).into(), Code::NotFound),
    ] {
        world.run(page(error)).await.unwrap_err();
        let last = world.reports.last();
        assert_eq!((last.flow().code(), last.flow().message()), (code, code.text()));
    }
    for (status, code) in [
        (StatusCode::SEE_OTHER, Code::FailedPrecondition),
        (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
    ] {
        world.run(redirected(status)).await.unwrap_err();
        let last = world.reports.last();
        assert_eq!((last.flow().code(), last.flow().message()), (code, code.text()));
    }
}
