use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

struct Tenant;

#[orchestrate(pattern = "user", cache = "{tenant}/{user.id}", actor = "{self.name}", tags = ["a", b], on_err = "keep")]
async fn one(tenant: Tenant, user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, event(name = "a", payload = User { id: 1 }))]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = id)]
async fn three(User { id: key }: User) -> Result<u64, Error> {
    Ok(key)
}

#[orchestrate(pattern = "user", id = user.0, metadata = user.name)]
async fn four(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", id = user.id(), version = result.version)]
async fn five(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", metadata = 7, message = "{result.id}")]
fn six(user: &mut User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
