use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(message = "user not found")]
    Missing,
    #[classify(mesage = "user not found")]
    Misspelt,
    Plain,
}

fn main() {}
