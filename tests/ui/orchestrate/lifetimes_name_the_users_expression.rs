//! What the borrow checker says of lifetimes stands where it does in the plain function: at what the body answers.

use std::{
    fmt::{Debug, Error},
    future::Future,
    pin::Pin,
};

use graceful::orchestrate;

#[orchestrate(pattern = "n")]
async fn another_lifetime<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, Error> {
    if a.is_empty() {
        return Ok(b);
    }
    Ok(a)
}

#[orchestrate(pattern = "n")]
fn another_lifetime_sync<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, Error> {
    if a.is_empty() {
        return Ok(b);
    }
    Ok(a)
}

#[orchestrate(pattern = "n")]
async fn not_static(a: &str) -> Result<&'static str, Error> {
    Ok(a)
}

#[orchestrate(pattern = "n")]
fn not_static_sync(a: &str) -> Result<&'static str, Error> {
    Ok(a)
}

#[orchestrate(pattern = "n")]
async fn static_by_default(a: &str) -> Result<Box<dyn Debug + Send + Sync>, Error> {
    println!("{a}");
    Ok(Box::new(a))
}

#[orchestrate(pattern = "n")]
fn static_by_default_sync(a: &str) -> Result<Box<dyn Debug>, Error> {
    println!("{a}");
    Ok(Box::new(a))
}

#[orchestrate(pattern = "n")]
fn boxed(a: &str) -> Pin<Box<dyn Future<Output = Result<usize, Error>> + Send>> {
    Box::pin(async move { Ok(a.len()) })
}

#[orchestrate(pattern = "n")]
fn opaque(a: &str) -> impl Future<Output = Result<usize, Error>> + 'static {
    async move { Ok(a.len()) }
}

struct Users {
    name: String,
}

impl Users {
    #[orchestrate(pattern = "n")]
    async fn of_self(&self, other: &str) -> Result<&str, Error> {
        match other.len() {
            0 => Ok(&self.name),
            _ => Ok(other),
        }
    }

    #[orchestrate(pattern = "n")]
    fn of_self_sync(&self, other: &str) -> Result<&str, Error> {
        if other.is_empty() {
            return Ok(other);
        }
        Ok(&self.name)
    }
}

#[orchestrate(pattern = "n")]
async fn of_a_local(a: &str) -> Result<&str, Error> {
    let local = a.to_owned();
    Ok(&local)
}

#[orchestrate(pattern = "n")]
fn of_a_local_sync(a: &str) -> Result<&str, Error> {
    let local = a.to_owned();
    Ok(&local)
}

#[orchestrate(pattern = "n")]
async fn pushed<'a>(list: &mut Vec<&'a str>, text: &str) -> Result<(), Error> {
    list.push(text);
    Ok(())
}

#[orchestrate(pattern = "n")]
fn pushed_sync<'a>(list: &mut Vec<&'a str>, text: &str) -> Result<(), Error> {
    list.push(text);
    Ok(())
}

fn main() {}
