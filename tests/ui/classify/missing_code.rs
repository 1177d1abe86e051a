use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(message = "user not found")]
    Missing,
    #[classify()]
    Taken,
    #[classify]
    Gone,
}

fn main() {}
