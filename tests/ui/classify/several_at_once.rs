use graceful::{Classify, Code};

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFoud)]
    Missing,
    #[classify(code = AlreadyExists, message = "{name} is taken")]
    Taken,
    Gone,
}

fn is_classified(error: &impl Classify) -> Code {
    error.code()
}

// Nothing is said of these: the trait is implemented for now.
fn main() {
    is_classified(&UserError::Gone);
    let _ = UserError::Taken.message();
}
