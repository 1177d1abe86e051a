use graceful::Classify;

#[derive(Classify)]
#[classify(crate = "graceful")]
enum Quoted {
    #[classify(code = NotFound)]
    Missing,
}

#[derive(Classify)]
#[classify(crate)]
enum Alone {
    #[classify(code = NotFound)]
    Missing,
}

#[derive(Classify)]
#[classify(crate = 1)]
enum Number {
    #[classify(code = NotFound)]
    Missing,
}

fn main() {}
