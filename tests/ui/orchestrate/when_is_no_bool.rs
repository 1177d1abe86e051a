use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", when = user.id)]
async fn number(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", when = "always")]
async fn quoted(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", when = result > 7)]
async fn result_is_a_reference(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
