use graceful::orchestrate;

struct User {
    id: u64,
}
struct Error;

use std::{
    future::{Future, Ready, ready},
    task::Poll,
};

#[orchestrate(pattern = "user")]
fn named(user: User) -> Ready<Result<u64, Error>> {
    ready(Ok(user.id))
}

#[orchestrate(pattern = "user")]
fn poll(user: User) -> Poll<Result<u64, Error>> {
    Poll::Ready(Ok(user.id))
}

#[orchestrate(pattern = "user")]
fn boxed(user: User) -> Box<dyn Future<Output = Result<u64, Error>>> {
    Box::new(ready(Ok(user.id)))
}

#[orchestrate(pattern = "user")]
async fn twice(user: User) -> impl Future<Output = Result<u64, Error>> {
    ready(Ok(user.id))
}

fn main() {}
