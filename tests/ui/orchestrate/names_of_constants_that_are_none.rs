use graceful::orchestrate;

struct Error;

const NUMBER: u32 = 5;

#[orchestrate(pattern = NUMBER, id = id, tags = [NUMBER])]
async fn handler(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {}
