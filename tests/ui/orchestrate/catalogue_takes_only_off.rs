use graceful::orchestrate;

struct Error;

#[orchestrate(pattern = "user", catalogue = on)]
async fn on() -> Result<(), Error> {
    Ok(())
}

#[orchestrate(pattern = "user", catalogue = false)]
async fn a_bool() -> Result<(), Error> {
    Ok(())
}

#[orchestrate(pattern = "user", catalogue)]
async fn without_a_value() -> Result<(), Error> {
    Ok(())
}

#[orchestrate(pattern = "user", catalogue(off))]
async fn in_parentheses() -> Result<(), Error> {
    Ok(())
}

#[orchestrate(pattern = "user", catalog = off)]
async fn misspelt() -> Result<(), Error> {
    Ok(())
}

fn main() {}
