use graceful::Classify;

#[derive(Classify)]
#[classify(crate = gracefull)]
enum UserError {
    #[classify(code = NotFound)]
    Missing,
}

fn main() {}
