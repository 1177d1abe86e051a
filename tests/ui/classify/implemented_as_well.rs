use graceful::Classify;

use graceful::Code;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound)]
    Missing,
}

impl Classify for UserError {
    fn code(&self) -> Code {
        Code::Internal
    }
}

fn main() {}
