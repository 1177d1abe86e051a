use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

unsafe extern "C" {
    #[orchestrate(pattern = "user")]
    fn foreign() -> u64;
}

fn main() {}
