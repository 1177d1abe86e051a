use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound; message = "gone")]
    Semicolon,
    #[classify(code: NotFound)]
    Colon,
    #[classify(code == NotFound)]
    TwoEquals,
    #[classify(code = NotFound message = "gone")]
    NoComma,
    #[classify(code = NotFound,, message = "gone")]
    TwoCommas,
    #[classify(code(NotFound), message("gone"))]
    Parentheses,
}

fn main() {}
