use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(
    pattern = "user",
    cache(kye = user.id, tll = "10m", val = user.id, versoin = user.id, onok = "put", on_error = "keep"),
    event(nam = "a", fail = "b", paylod = user.id),
    graph(relaton = "of"),
    schedule(aftr = "5m"),
    alert(onn = "all", sevrity = "info"),
    audit(requird, timout = "2s"),
    fallback(lastgood, maxage = "1h"),
    metadata(val = user.id)
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
