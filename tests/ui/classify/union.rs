use graceful::Classify;

#[derive(Classify)]
#[classify(code = NotFound)]
union UserError {
    id: u64,
    bytes: [u8; 8],
}

fn main() {}
