use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(transparent)]
    Text(String),
    #[classify(transparent)]
    Boxed(Box<dyn std::error::Error + Send + Sync>),
    #[classify(transparent)]
    Optional(Option<std::io::Error>),
}

fn main() {}
