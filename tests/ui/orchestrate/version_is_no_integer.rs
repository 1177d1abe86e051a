use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache(key = 1, version = name))]
async fn text(name: String) -> Result<usize, Error> {
    Ok(name.len())
}

#[orchestrate(pattern = "user", cache(key = 1, version = 1.5))]
async fn float(name: String) -> Result<usize, Error> {
    Ok(name.len())
}

#[orchestrate(pattern = "user", cache(key = 1, version = "v1"))]
async fn quoted(name: String) -> Result<usize, Error> {
    Ok(name.len())
}

fn main() {}
