use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = "NotFound")]
    Right,
    #[classify(code = "not_found")]
    OnTheWire,
    #[classify(code = "")]
    Empty,
}

fn main() {}
