use graceful::{orchestrate, orchestrate as follow};

struct Error;

#[follow(cache = id)]
#[follow(pattern = "user", event = "user_updated")]
async fn same(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[follow(cache = id)]
#[orchestrate(pattern = "user", event = "user_updated")]
async fn mixed(id: u64) -> Result<u64, Error> {
    Ok(id)
}

fn main() {
    drop((same(1), mixed(1)));
}
