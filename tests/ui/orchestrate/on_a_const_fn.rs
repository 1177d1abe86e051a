use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
const fn handler(user: &User) -> Result<u64, Error> {
    Ok(user.id)
}

// The function is there, and still `const`.
const ONE: Result<u64, Error> = handler(&User { id: 1 });

fn main() {
    let _ = ONE;
}
