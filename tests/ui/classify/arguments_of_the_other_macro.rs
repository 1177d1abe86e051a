use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, severity = "error", pattern = "user")]
    Missing,
}

fn main() {}
