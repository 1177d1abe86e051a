use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = user.id)]
async fn handler(_: User) -> Result<u64, Error> {
    Ok(1)
}

#[orchestrate(pattern = "user", cache = _user.id, id = user)]
async fn destructured(User { id }: User) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
