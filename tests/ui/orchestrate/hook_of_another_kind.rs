use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

const HOOK: fn(&graceful::Flow) = |_| ();

#[orchestrate(pattern = "user", audit = HOOK, nexus = Vec::<u8>::new, graph = std::future::ready)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
