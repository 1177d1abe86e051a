use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

mod users {
    pub struct Private {
        id: u64,
    }

    impl Private {
        pub fn id(&self) -> u64 {
            self.id
        }
    }
}

#[orchestrate(pattern = "user", cache = user.id, actor = "{user.id}")]
async fn handler(user: users::Private) -> Result<u64, Error> {
    Ok(user.id())
}

fn main() {}
