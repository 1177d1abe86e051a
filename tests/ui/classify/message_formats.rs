use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(code = NotFound, message = "{id:>5}")]
    Width { id: u64 },
    #[classify(code = NotFound, message = "{0:?}")]
    Debug(String),
    #[classify(code = NotFound, message = "{self}")]
    Itself,
    #[classify(code = NotFound, message = "{id.0}")]
    Part { id: (u64,) },
    #[classify(code = NotFound, message = "{ id }")]
    Spaces { id: u64 },
    #[classify(code = NotFound, message = "{id} {nam} {") ]
    Several { id: u64, name: String },
}

fn main() {}
