use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify = NotFound]
    Code,
    #[classify = "user not found"]
    Message,
    #[classify[code = NotFound]]
    Brackets,
}

fn main() {}
