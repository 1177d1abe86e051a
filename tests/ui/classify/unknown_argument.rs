use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, mesage = "user not found")]
    Misspelt,
    #[classify(cod = NotFound)]
    NotMissingAsWell,
    #[classify(code = NotFound, retry)]
    NothingLikeIt,
}

fn main() {}
