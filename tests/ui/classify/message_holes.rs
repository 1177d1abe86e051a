use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, message = "user {nmae} not found")]
    Misspelt { name: String, id: u64 },
    #[classify(code = NotFound, message = "user {1} not found")]
    PastTheEnd(u64),
    #[classify(code = NotFound, message = "user {id} not found")]
    NoFields,
    #[classify(code = NotFound, message = "user {id:?} not found")]
    Format { id: u64 },
    #[classify(code = NotFound, message = "user {} not found")]
    Empty(u64),
    #[classify(code = NotFound, message = "user } not found")]
    Alone,
    #[classify(code = NotFound, message = "user {0")]
    Open(u64),
}

fn main() {}
