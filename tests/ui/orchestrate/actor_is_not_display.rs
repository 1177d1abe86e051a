use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

#[orchestrate(pattern = "user", actor = user, graph(relation = "of", to = ()), id = vec![1])]
async fn handler(user: Option<u64>) -> Result<u64, Error> {
    user.ok_or(Error)
}

fn main() {}
