use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFuond)]
    Swapped,
    #[classify(code = notfound)]
    Lowercase,
    #[classify(code = not_found)]
    Snake,
    #[classify(code = NOT_FOUND)]
    Capitals,
    #[classify(code = Unautenticated)]
    Long,
    #[classify(code = PermisionDenied)]
    Short,
    #[classify(code = Timeout)]
    OtherWord,
    #[classify(code = Canceled)]
    American,
    #[classify(code = graceful::Code::Internl)]
    WithItsPath,
}

fn main() {}
