use graceful::Classify;

mod codes {
    pub enum Code {
        NotFound,
    }
}

#[derive(Classify)]
enum UserError {
    #[classify(code = codes::Code::NotFound)]
    Missing,
}

fn main() {}
