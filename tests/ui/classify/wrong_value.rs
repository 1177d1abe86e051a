use graceful::Classify;

#[derive(Classify)]
#[classify(crate = "graceful")]
enum UserError {
    #[classify(code = "NotFound")]
    Quoted,
    #[classify(code = 404)]
    Number,
    #[classify(code)]
    NoValue,
    #[classify(code(NotFound))]
    Parentheses,
    #[classify(code = NotFound, message = 404)]
    NoText,
    #[classify(code = NotFound, message = concat!("user", "not found"))]
    Macro,
    #[classify(code = , message = "user not found")]
    HalfTyped,
}

fn main() {}
