use graceful::Classify;

#[derive(Classify)]
#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound)]
    Missing,
}

fn main() {}
