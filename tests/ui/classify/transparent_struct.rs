use graceful::Classify;

#[derive(Classify)]
#[classify(transparent)]
struct Two(std::io::Error, String);

#[derive(Classify)]
#[classify(transparent)]
struct Named {
    source: std::io::Error,
    path: String,
}

#[derive(Classify)]
#[classify(transparent)]
struct Unit;

#[derive(Classify)]
#[classify(transparent, code = Internal)]
struct Both(std::io::Error);

fn main() {}
