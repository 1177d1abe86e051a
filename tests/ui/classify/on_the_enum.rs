use graceful::Classify;

#[derive(Classify)]
#[classify(code = NotFound)]
enum One {
    Missing,
}

#[derive(Classify)]
#[classify(transparent)]
enum Two {
    #[classify(code = NotFound)]
    Missing,
}

#[derive(Classify)]
#[classify(default = Internal)]
enum Three {
    Missing,
}

fn main() {}
