use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = users.pop().unwrap())]
async fn handler(users: Vec<u64>) -> Result<usize, Error> {
    Ok(users.len())
}

fn main() {}
