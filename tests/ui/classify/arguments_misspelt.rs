use graceful::Classify;

#[derive(Classify)]
enum UserError {
    #[classify(cdoe = NotFound)]
    Swapped,
    #[classify(code = NotFound, msg = "gone")]
    Short,
    #[classify(code = NotFound, text = "gone")]
    OtherWord,
    #[classify(transparant)]
    Vowel(std::io::Error),
    #[classify(Code = NotFound)]
    Capital,
    #[classify(code = NotFound, retryable = true, http_status = 404)]
    Unknown,
    #[classify(r#code = NotFound)]
    Raw,
    #[classify(classify::code = NotFound)]
    Path,
}

fn main() {}
