use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", tags = ["a" "b"], cache(key = user.id, "10m"), alert(on = ["all"]))]
async fn one(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user", tags = ["a",, "b"], metadata = { "a": 1 }, message = concat!("a", "b"))]
async fn two(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

#[orchestrate(pattern = "user" + "s", tags = ("a", "b"), cache())]
async fn three(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
