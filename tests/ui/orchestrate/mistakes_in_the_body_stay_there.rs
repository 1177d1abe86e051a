use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
async fn wrong_value(user: User) -> Result<u64, Error> {
    Ok(user)
}

#[orchestrate(pattern = "user")]
async fn wrong_local(user: User) -> Result<u64, Error> {
    let id: u8 = user.id;
    Ok(user.id)
}

#[orchestrate(pattern = "user")]
async fn no_value(user: User) -> Result<u64, Error> {
    drop(user);
}

fn main() {}
