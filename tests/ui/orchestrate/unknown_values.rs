use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(key = user.id, on_ok = "evict", on_err = ""),
    alert(on = "never", severity = "sev1"),
    delivery = "tomorrow"
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
