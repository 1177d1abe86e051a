use graceful::{Flow, Hook, StepError};

fn not_async(_: &Flow) -> Result<(), StepError> {
    Ok(())
}

async fn another_error(_: &Flow) -> Result<(), String> {
    Ok(())
}

async fn by_value(_: Flow) -> Result<(), StepError> {
    Ok(())
}

async fn not_send(_: &Flow) -> Result<(), StepError> {
    let shared = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(shared);
    Ok(())
}

fn main() {
    drop([Hook::new(not_async), Hook::new(another_error), Hook::new(by_value), Hook::new(not_send)]);
}
