//! Shapes that only edition 2024 has.
#![allow(missing_docs, reason = "tests")]
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]

use graceful::orchestrate;
use graceful_tests::shapes::{Odd, both, both_sync, even};

#[orchestrate(pattern = "n", id = n)]
async fn let_chains(n: u64, maybe: Option<u64>) -> Result<u64, Odd> {
    if let Some(m) = maybe
        && let Ok(sum) = even(n + m)
        && sum > 0
    {
        return Ok(sum);
    }
    even(n)
}

#[orchestrate(pattern = "n", id = if let Some(m) = maybe && m > 0 { n * m } else { n })]
async fn let_chains_in_an_argument(n: u64, maybe: Option<u64>) -> Result<u64, Odd> {
    even(n * maybe.unwrap_or(1))
}

/// Everything is captured without being named.
#[orchestrate(pattern = "n", id = n)]
fn captures<T: Copy + Into<u64>>(n: &u64, value: T) -> Result<impl Iterator<Item = u64>, Odd> {
    even(*n)?;
    Ok([value.into() * n, *n].into_iter())
}

#[orchestrate(pattern = "n", id = n)]
fn captures_in_a_future(n: &u64) -> impl Future<Output = Result<&u64, Odd>> {
    async move {
        even(*n)?;
        Ok(n)
    }
}

#[orchestrate(pattern = "n", id = r#gen)]
async fn reserved(r#gen: u64) -> Result<u64, Odd> {
    even(r#gen)
}

macro_rules! of_an_expression {
    ($name:ident, $key:expr_2021, $body:expr) => {
        #[orchestrate(pattern = "n", id = $key)]
        async fn $name() -> Result<u64, Odd> {
            $body
        }
    };
}

of_an_expression!(four, 4, const { even(4) });

#[test]
fn shapes() {
    both(async |n| let_chains(n, Some(0)).await);
    both(async |n| let_chains_in_an_argument(n, Some(1)).await);
    both_sync(|n| captures(&n, 1_u8).map(|mut list| list.next().unwrap()));
    both(async |n| captures_in_a_future(&n).await.copied());
    both(reserved);
    assert_eq!(graceful_tests::shapes::run(four()), Ok(4));
}
