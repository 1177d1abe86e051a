use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    patern = "user",
    chache = user.id,
    evnt = "user_updated",
    payloads = user.id,
    Actor = user.id,
    wen = true,
    meta = user.id,
    msg = "done",
    tag = ["a"],
    grph = off,
    shedule = off,
    nexxus = off,
    audti = off,
    alerts = off,
    fallbck = last_good,
    delivry = "inline"
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

// The function is there.
async fn caller() -> Result<u64, Error> {
    handler(User { id: 1 }).await
}

fn main() {
    drop(caller());
}
