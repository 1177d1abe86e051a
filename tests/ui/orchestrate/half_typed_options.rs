use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(key = ), alert(on =, severity), schedule(a), graph(relation = "of", to = user.))]
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
