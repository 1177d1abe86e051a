use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = 404)]
    Http,
    #[classify(code = StatusCode::NOT_FOUND)]
    Status,
    #[classify(code = BadRequest)]
    Name,
    #[classify(code = Unauthorized)]
    OtherName,
    #[classify(code = Teapot)]
    NoName,
    #[classify(code = 418)]
    NoNumber,
    #[classify(code = -1)]
    Negative,
    #[classify(code = Code::from(5))]
    Call,
    #[classify(code = 'N')]
    Char,
}

fn main() {}
