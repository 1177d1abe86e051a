use graceful::Classify;

#[derive(Classify)]
struct UserError {
    #[classify(code = NotFound)]
    id: u64,
    #[classify(transparent)]
    source: std::io::Error,
}

fn main() {}
