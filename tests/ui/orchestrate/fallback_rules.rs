use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn recover(_: &graceful::Failure<'_, Error>) -> Option<u64> {
    None
}

#[orchestrate(pattern = "user", fallback = last_good)]
async fn without_a_key(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, fallback(last_good, with = recover))]
async fn two_ways(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, fallback(with = recover, max_age = "1h"))]
async fn age_of_nothing(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, fallback(last_good = true, ok = recover))]
async fn wrong_options(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", cache = user.id, fallback = last_god)]
async fn misspelt(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
