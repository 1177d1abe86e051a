use graceful::orchestrate;

#[orchestrate(pattern = "user", cache = "user-42", id = "user/n", actor = "n+1", metadata = "user-n-1")]
async fn handler(user: u64, n: u64) -> Result<u64, ()> {
    Ok(user - n)
}

#[orchestrate(pattern = "user", cache(key = "user.id-1", version = "user.id-1"), when = "user.id<9")]
async fn method(user: User) -> Result<u64, ()> {
    Ok(user.id)
}

struct User {
    id: u64,
}

// Whoever writes it like this means it.
#[orchestrate(pattern = "user", cache = user-42, id = "user - 42", actor = "{user-42}")]
async fn meant(user: u64) -> Result<u64, ()> {
    Ok(user)
}

fn main() {
    drop((handler(1, 2), method(User { id: 1 }), meant(1)));
}
