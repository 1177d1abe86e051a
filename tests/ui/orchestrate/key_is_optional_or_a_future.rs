use graceful::orchestrate;

struct User {
    id: u64,
    nick: Option<String>,
}
struct Error;

async fn key_of(id: u64) -> u64 {
    id
}

#[orchestrate(pattern = "user", cache = user.nick, actor = key_of(user.id), message = "{user.nick}")]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
