use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

macro_rules! handler {
    ($name:ident, $key:expr) => {
        #[orchestrate(pattern = "user", cache = $key, delivry = "inline")]
        async fn $name(user: User) -> Result<u64, Error> {
            Ok(user.id)
        }
    };
}

handler!(handler, usr.id);

// The function is there.
async fn caller() -> Result<u64, Error> {
    handler(User { id: 1 }).await
}

fn main() {
    drop(caller());
}
