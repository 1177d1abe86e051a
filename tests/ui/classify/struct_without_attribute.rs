use graceful::Classify;

#[derive(Classify)]
struct UserError;

fn main() {}
