use graceful::orchestrate;

struct Error;

fn parsed(text: &str) -> Result<u64, std::num::ParseIntError> {
    text.parse()
}

#[orchestrate(pattern = "user", id = id)]
async fn of_another_type(id: u64) -> Result<u64, Error> {
    id
}

#[orchestrate(pattern = "user", id = id)]
fn of_another_type_sync(id: u64) -> Result<u64, Error> {
    id
}

#[orchestrate(pattern = "user", id = id)]
async fn of_another_error(id: u64) -> Result<u64, Error> {
    Ok(parsed("1")? + id)
}

#[orchestrate(pattern = "user", id = id)]
fn of_another_error_sync(id: u64) -> Result<u64, Error> {
    Ok(parsed("1")? + id)
}

fn main() {}
