//! Readers whose `impl` block has defaults that they cannot have.

use graceful::{Code, orchestrate};

struct Users;

#[orchestrate(pattern = "user", delivery = "durable", cache(key = id, ttl = "5m"))]
impl Users {
    #[orchestrate(cache(key = id, read, refresh = "8m"))]
    async fn read(&self, id: u64) -> Result<u64, Code> {
        Ok(id)
    }

    #[orchestrate(cache(key = id, read), delivery = "inline")]
    async fn read_inline(&self, id: u64) -> Result<u64, Code> {
        Ok(id)
    }

    #[orchestrate(cache(read))]
    async fn read_without_a_key(&self, id: u64) -> Result<u64, Code> {
        Ok(id)
    }

    #[orchestrate]
    async fn write(&self, id: u64) -> Result<u64, Code> {
        Ok(id)
    }
}

fn main() {
    let _ = (Users.read(1), Users.read_inline(1), Users.read_without_a_key(1), Users.write(1));
}
