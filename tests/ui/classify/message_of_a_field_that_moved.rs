use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, message = "{0}")]
    Named { id: u64 },
    #[classify(code = NotFound, message = "{id}")]
    Unnamed(u64),
}

fn main() {}
