use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", cache = user.id)]
async fn one(user: User) -> Result<Usr, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id)]
async fn two(user: User) -> Result {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id)]
fn three(user: Usr) -> Result<u64, Eror> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id)]
fn four(user: User) -> Result<&u64, Error> {
    Ok(&user.id)
}

#[orchestrate(pattern = "user", id = user.id)]
fn five(user: &User) -> impl Future<Output = Result<u64, Eror>> {
    async move { Ok(user.id) }
}

fn main() {}
