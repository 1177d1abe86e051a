#[derive(graceful::Classify)]
fn handler() {}

#[derive(graceful::Classify)]
trait Users {}

#[derive(graceful::Classify)]
mod users {}

fn main() {}
