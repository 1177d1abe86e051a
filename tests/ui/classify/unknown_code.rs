use graceful::{Classify, Code};

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFoud)]
    Misspelt,
    #[classify(code = Code::INVALID_ARGUMENT)]
    OnTheWire,
    #[classify(code = Teapot)]
    NothingLikeIt,
    #[classify(code = Ok)]
    NoError,
}

fn main() {
    let _ = Code::Ok;
}
