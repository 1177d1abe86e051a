use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(
    pattern = "user",
    cache(ttl = "1m"),
    audit(with = hook, ok = hook),
    fallback(last_good, max_age = "1h"),
    event = "a",
    event = "b"
)]
async fn without_a_key(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "background", audit(ok = typed))]
async fn typed_and_later(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, payload = user.id, fallback = last_good)]
async fn two_payloads(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
