use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = user.id,)]
#[must_use]
async fn ok_trailing_comma(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = result.0.id, nope)]
async fn tuple(user: User) -> Result<(User,), Error> {
    Ok((user,))
}

#[orchestrate(pattern = "user", cache = "user.id", id = 'a', actor = user.id?)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate{pattern = "user", cach = user.id}]
async fn braces(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", event = "a", event(failed = "b"))]
async fn event_twice(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", alert(severity("critical")), schedule(after("5m")), cache[user.id])]
async fn nested(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", audit(with = off), nexus(ok = off), audit_log = off, Cache = user.id, EVENT = "x")]
async fn with_off(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", delivery = "Background", alert(on = "ALL", severity = "Critical"), cache(key = user.id, ttl = "1 hour"))]
async fn capitals(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", fallback = "last-good", cache = user.id)]
async fn fb(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
