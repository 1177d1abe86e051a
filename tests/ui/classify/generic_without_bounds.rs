use graceful::Classify;

use graceful::Code;

#[derive(Classify)]
enum UserError<T> {
    #[classify(code = NotFound, message = "no {0}")]
    Missing(T),
    #[classify(transparent)]
    Other(T),
}

struct Silent;

fn code(error: &UserError<Silent>) -> Code {
    error.code()
}

fn main() {}
