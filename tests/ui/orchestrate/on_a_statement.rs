use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

fn main() {
    #[orchestrate(pattern = "user")]
    let one = User { id: 1 };
}
