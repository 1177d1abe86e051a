use graceful::Classify;

struct Foreign;

#[derive(Classify)]
enum UserError<T> {
    #[classify(transparent)]
    Foreign(Foreign),
    #[classify(transparent)]
    Generic(Box<T>),
}

fn is_classified<T: Classify>() {}

fn main() {
    is_classified::<UserError<Foreign>>();
}
