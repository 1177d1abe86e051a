use graceful::Classify;

struct Id;

#[derive(Classify)]
#[classify(code = NotFound, message = "user {id} not found")]
struct UserError {
    id: Id,
}

fn main() {}
