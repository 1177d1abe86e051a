use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound)]
    Missing,
    Taken,
    #[classify(code = Ok)]
    Fine,
    #[classify(code = InvalidArgument, message = "{name}")]
    Nameless,
    #[classify(transparent)]
    Nothing,
    #[classify(code = Internal, code = Unknown)]
    Twice,
    #[classify()]
    Empty,
}

fn main() {}
