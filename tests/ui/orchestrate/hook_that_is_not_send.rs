use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use std::rc::Rc;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    let shared = Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
    Ok(())
}

#[orchestrate(pattern = "user", audit = hook)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
