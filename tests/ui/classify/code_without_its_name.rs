use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(NotFound)]
    Alone,
    #[classify(NotFound, "user not found")]
    WithMessage,
    #[classify("user not found")]
    OnlyMessage,
}

fn main() {}
