use graceful::orchestrate;

struct Error;

#[orchestrate(pattern = "user", id = id)]
async fn breaks(id: u64) -> Result<u64, Error> {
    if id == 1 {
        break;
    }
    Ok(id)
}

#[orchestrate(pattern = "user", id = id)]
fn continues(id: u64) -> Result<u64, Error> {
    if id == 1 {
        continue;
    }
    Ok(id)
}

#[orchestrate(pattern = "user", id = id)]
async fn returns_nothing(id: u64) -> Result<u64, Error> {
    if id == 1 {
        return;
    }
    Ok(id)
}

#[orchestrate(pattern = "user", id = id)]
fn returns_nothing_sync(id: u64) -> Result<u64, Error> {
    if id == 1 {
        return;
    }
    Ok(id)
}

fn main() {}
