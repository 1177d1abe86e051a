//! A user service whose handlers run two mirrored flows; it prints what each step did, and what the backends contain afterwards.
//!
//! ```text
//! cargo run -p quickstart                                       the built-in users
//! cargo run -p quickstart -- examples/quickstart/users.json     a file: a JSON array, or one object per line
//! cargo run -p quickstart -- -                                  the same from the standard input
//! ```

mod input;
mod look;
mod print;
mod service;

use std::{
    env,
    error::Error,
    io::{self, Write as _},
    process::ExitCode,
    sync::mpsc,
};

use graceful::{Context, Orchestrator, backends::memory};

use crate::{
    print::both_flows,
    service::{User, UserService},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.as_slice() {
        [] => run(None).await,
        [source] => run(Some(source)).await,
        _ => Err("usage: quickstart [FILE | -]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(source: Option<&str>) -> Result<(), Box<dyn Error>> {
    let users = input::users(source)?;
    // The user of the context is part of every flow.
    let page = Context::new().user("ada").scope(tour(&users)).await?;
    io::stdout().write_all(page.as_bytes())?;
    Ok(())
}

async fn tour(users: &[User]) -> Result<String, Box<dyn Error>> {
    let events = memory::Events::new();
    let (sender, reports) = mpsc::channel();
    let orchestrator = Orchestrator::builder()
        .service("users")
        .environment("quickstart")
        .events(events.clone())
        .in_memory()
        .on_report(move |report| drop(sender.send(report.clone())))
        .build()?;
    orchestrator.clone().install()?;

    let service = UserService::default();
    for user in users {
        service.create(user.clone()).await?;
        reports.try_recv()?;
    }
    let (user, id) = (&users[0], users[0].id);
    let mut inbox = events.subscribe();

    // A hit: `create` has stored the user, so the body does not run, and there is no flow.
    service.get(id).await?;
    // Misses: the storage answers, fails, and answers again. Then the user is stored, and the next read is a hit.
    orchestrator.invalidate([("user", id)]).await?;
    service.get(id).await?;
    reports.try_recv()?;
    orchestrator.invalidate([("user", id)]).await?;
    service.unplug(true);
    let recovered = (service.get(id).await, reports.try_recv()?);
    let while_it_fails = look::at(&orchestrator, id).await?;
    service.unplug(false);
    let found = (service.get(id).await, reports.try_recv()?);
    service.get(id).await?;
    let afterwards = look::at(&orchestrator, id).await?;

    // A client error: it is not a server fault, and no state has changed.
    let renamed = User { name: format!("{} II", user.name), ..user.clone() };
    let updated = (service.update(renamed).await, reports.try_recv()?);
    let wrong = User { email: "nowhere".to_owned(), ..user.clone() };
    let refused = (service.update(wrong).await, reports.try_recv()?);

    service.delete(id).await?;

    Ok([
        format!("{} users were created. The tables below are about user {id}.\n", users.len()),
        "\n`get`: the user is not cached, and the storage fails; then it answers again\n".to_owned(),
        both_flows(&recovered, &found),
        "\nHow the calls of `get` were answered\n".to_owned(),
        look::reads(&orchestrator),
        "\nWhat the backends contain\n".to_owned(),
        look::both_moments(["while the storage fails", "afterwards"], while_it_fails, afterwards),
        "\n`update`: a client error, which fires no alert\n".to_owned(),
        both_flows(&updated, &refused),
        "\nEvents that a subscriber got\n".to_owned(),
        look::inbox(&mut inbox),
        "\nThe audit log, newest first\n".to_owned(),
        look::audit(&orchestrator).await?,
        "\nThe user in the knowledge graph\n".to_owned(),
        look::graph(&orchestrator, id).await?,
        "\nThe patterns in use\n".to_owned(),
        look::patterns(&orchestrator).await?,
    ]
    .concat())
}
