use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

async fn hook(_: &graceful::Flow) -> Result<(), graceful::StepError> {
    Ok(())
}

#[orchestrate(
    pattern = "user",
    audit = hook(),
    nexus = |flow| async { Ok(()) },
    alert(ok = self.hook, err = "page it"),
    graph(with = 1),
    schedule = "a b",
    fallback = recover()
)]
async fn handler(user: User) -> Result<u64, Error> {
    Ok(user.id)
}

fn main() {}
