//! What the borrow checker says of a body, it says of the user's variables.

use graceful::orchestrate;

type Answer = Result<String, std::fmt::Error>;

#[orchestrate(pattern = "user", id = user)]
async fn moved_twice(user: String) -> Answer {
    drop(user);
    Ok(user)
}

#[orchestrate(pattern = "user", id = user)]
fn moved_twice_and_sync(user: String) -> Answer {
    drop(user);
    Ok(user)
}

#[orchestrate(pattern = "user")]
async fn not_mut(user: String) -> Answer {
    user.push('!');
    Ok(user)
}

#[orchestrate(pattern = "user")]
async fn behind_a_reference(user: &String) -> Answer {
    user.push('!');
    Ok(user.clone())
}

fn main() {}
