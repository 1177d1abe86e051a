use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(transparent)]
    Two(std::io::Error, String),
    #[classify(transparent)]
    None,
}

fn main() {}
