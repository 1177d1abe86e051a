use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

// The method has a key of its own, and no pattern.
#[orchestrate(cache(tll = "1m"))]
impl User {
    #[orchestrate(cache = self.id)]
    async fn one(&self) -> Result<u64, Error> {
        Ok(self.id)
    }
}

#[orchestrate(evnt = "two", fallback = last_good)]
async fn two(id: u64) -> Result<u64, Error> {
    Ok(id)
}

// These may be what is missing.
#[orchestrate(patern = "user", kache = id, fallback = last_good)]
async fn three(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[orchestrate(pattern = "user", graph(relation = "of", too = id, to_pattern = "team"))]
async fn four(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
