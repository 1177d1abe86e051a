use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, message = gone)]
    Name,
    #[classify(code = NotFound, message = 'g')]
    Char,
    #[classify(code = NotFound, message = b"gone")]
    Bytes,
    #[classify(code = NotFound, message = MESSAGE)]
    Constant,
    #[classify(code = NotFound, message)]
    Alone,
    #[classify(code = NotFound, message = "")]
    Empty,
}

fn main() {}
