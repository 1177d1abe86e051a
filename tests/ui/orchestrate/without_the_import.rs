struct Error;
#[graceful::orchestrate(pattern = "user", cache(key = id, ttl = "1 h our"))]
fn handler(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[orchestrate(pattern = "user")]
fn other(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
