use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, code = Aborted)]
    Missing,
    #[classify(code = AlreadyExists, message = "taken")]
    #[classify(message = "in use")]
    Taken,
    #[classify(transparent, transparent)]
    Io(std::io::Error),
}

fn main() {}
