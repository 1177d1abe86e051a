use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache = local.id,
    alert(on = "al", severity = 3),
    schedule(after = "5x"),
    tx = db,
    graph(to = user.id),
    delivery = "durably"
)]
async fn handler(user: User) -> Result<u64, Error> {
    let local = user;
    Ok(local.id)
}

fn main() {}
