use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user")]
pub struct Handler;

#[orchestrate(pattern = "user")]
enum Handlers {
    One,
}

#[orchestrate(pattern = "user")]
pub(crate) union Both {
    id: u64,
}

#[orchestrate(pattern = "user")]
type Alias = u64;

// All of them are there.
fn main() {
    let _ = (Handler, Handlers::One, Both { id: 1 }, 1 as Alias);
}
