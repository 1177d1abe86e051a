use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(transparent, code = NotFound)]
    Code(std::io::Error),
    #[classify(message = "the disk", transparent)]
    Message(std::io::Error),
    #[classify(transparent = true)]
    Value(std::io::Error),
}

fn main() {}
