use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound)]
    Missing,
    Taken,
    Io(std::io::Error),
}

fn main() {}
