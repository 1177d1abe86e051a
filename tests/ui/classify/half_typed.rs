use graceful::Classify;

use graceful::Code;

#[derive(Classify)]
enum UserError {
    #[classify(code = )]
    NoCode,
    #[classify(code = Not)]
    Begun,
    #[classify(code = NotFound, mess)]
    Name,
    #[classify(code = NotFound, message = )]
    NoMessage,
    #[classify(code = Code::)]
    Path,
    #[classify(trans)]
    Transparent(std::io::Error),
}

// Whoever asks for the trait finds it.
fn code(error: &UserError) -> Code {
    error.code()
}

fn main() {
    drop(code(&UserError::Name));
}
