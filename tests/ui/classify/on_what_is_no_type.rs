use graceful::Classify;

#[derive(Classify)]
fn handler() {}

#[derive(Classify)]
trait Users {}

#[derive(Classify)]
mod users {}

fn main() {}
