use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

fn key_of<T>(value: T) -> T {
    value
}

#[orchestrate(pattern = "user", cache = result.unwrap().id, id = self::key_of(user.id), actor = Self::name())]
async fn handler(user: User) -> Result<User, Error> {
    Ok(user)
}

#[orchestrate(pattern = "user", cache = if user.id > 1 { "many" } else { 1 }, id = match user { User { id } => id, })]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id as u8 + "x", id = -user.id, actor = !user, when = user)]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = ..., id = ?, actor = |)]
async fn four(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = fn, id = let x = 1, actor = "user.", message = "{user.}")]
async fn five(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
