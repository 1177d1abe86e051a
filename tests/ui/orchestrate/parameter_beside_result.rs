use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = format!("{}-{}", name, result))]
async fn handler(name: String) -> Result<u64, Error> {
    drop(name);
    Ok(1)
}

fn main() {}
