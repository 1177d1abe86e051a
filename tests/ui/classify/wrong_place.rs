use graceful::Classify;

#[derive(Classify)]
#[classify(code = NotFound, message = "user not found")]
enum UserError {
    #[classify(code = NotFound, crate = graceful)]
    Missing,
    #[classify(code = NotFound)]
    Io(#[classify(transparent)] std::io::Error),
}

fn main() {}
