use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = result.id, message = "{result} done")]
async fn handler(user: User) -> Result<(), Error> {
    drop(user);
    Ok(())
}

fn main() {}
