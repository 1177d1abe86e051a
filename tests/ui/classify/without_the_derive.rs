enum UserError {
    #[classify(code = NotFound)]
    Missing,
}

fn main() {
    let _ = UserError::Missing;
}
