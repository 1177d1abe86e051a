//! Functions made by `macro_rules!`, with fragments in invisible groups or as plain tokens.

use graceful::orchestrate;

use super::{Odd, both, both_sync, even};

macro_rules! of_a_block {
    ($(#[$meta:meta])* $vis:vis $name:ident, $argument:ident, $body:block) => {
        $(#[$meta])*
        $vis async fn $name($argument: u64) -> Result<u64, Odd> $body
    };
}

of_a_block!(#[orchestrate(pattern = "n", id = n)] pub(crate) block, n, { even(n) });
of_a_block!(
    #[orchestrate(pattern = "n", id = n)]
    block_with_a_return,
    n,
    {
        if n == 4 {
            return Ok(n);
        }
        Ok(even(n)?)
    }
);

macro_rules! of_types {
    ($name:ident, $type:ty, $returned:ty, $pattern:pat, $key:expr, $result:expr) => {
        #[orchestrate(pattern = "n", id = $key)]
        async fn $name($pattern: $type) -> $returned {
            $result
        }
    };
}

of_types!(types, u64, Result<u64, Odd>, n, n, even(n));
of_types!(types_by_reference, &u64, Result<u64, Odd>, n, *n, even(*n));
of_types!(types_by_pattern, (u64, u64), Result<u64, Odd>, (n, m), n * m, even(n * m));

macro_rules! of_a_future {
    ($name:ident, $returned:ty, $body:expr) => {
        #[orchestrate(pattern = "n", id = n)]
        fn $name(n: u64) -> $returned {
            let made = $body;
            made(n)
        }
    };
}

of_a_future!(boxed_by_type, std::pin::Pin<Box<dyn std::future::Future<Output = Result<u64, Odd>>>>, |n| {
    Box::pin(async move { even(n) }) as std::pin::Pin<Box<dyn std::future::Future<Output = _>>>
});
of_a_future!(opaque_by_type, impl std::future::Future<Output = Result<u64, Odd>>, |n| async move { even(n) });
of_a_future!(sync_by_type, Result<u64, Odd>, even);

macro_rules! of_tokens {
    ($key:tt $name:ident($($argument:tt)*) -> $returned:ty { $($body:tt)* }) => {
        #[orchestrate(pattern = "n", id = $key)]
        async fn $name($($argument)*) -> $returned { $($body)* }
    };
}

of_tokens!(n tokens(mut n: u64, _: &str) -> Result<u64, Odd> {
    n += 1;
    even(n - 1)
});

macro_rules! of_a_body {
    ($name:ident, $n:ident, $($body:tt)*) => {
        #[orchestrate(pattern = "n", id = $n)]
        async fn $name($n: u64) -> Result<u64, Odd> $($body)*
    };
}

/// The names of a macro and those of its caller are not the same: the body sees only its own.
macro_rules! hygienic {
    ($name:ident, $n:ident) => {
        #[orchestrate(pattern = "n", id = $n)]
        async fn $name($n: u64, m: u64) -> Result<u64, Odd> {
            let n = m;
            even($n * n)
        }
    };
}

of_a_body!(body, n, { even(4).and(Ok(4)) });
hygienic!(two_of_the_same_name, n);

macro_rules! of_an_item {
    ($item:item) => {
        $item
    };
}

of_an_item! {
    #[orchestrate(pattern = "n", id = n)]
    async fn item(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

macro_rules! around_an_item {
    ($key:ident, $item:item) => {
        #[orchestrate(pattern = "n", id = $key)]
        $item
    };
}

around_an_item! {
    n,
    /// Documented.
    async fn wrapped_item(n: u64) -> Result<u64, Odd> {
        even(n)
    }
}

macro_rules! of_generics {
    ($name:ident<$lifetime:lifetime, $parameter:ident: $bound:path>, $literal:literal, $tag:expr) => {
        #[orchestrate(pattern = $literal, id = n, tags = [$tag, "x"], message = $literal)]
        async fn $name<$lifetime, $parameter: $bound + std::fmt::Display + $lifetime>(
            n: &$lifetime u64,
            _: $parameter,
        ) -> Result<&$lifetime u64, Odd> {
            even(*n).map(|_| n)
        }
    };
}

of_generics!(generics<'a, T: Clone>, "n", "tagged");

macro_rules! of_a_block_of_methods {
    ($type:ident { $($vis:vis fn $name:ident(&$self:ident, $argument:ident) $body:block)* }) => {
        struct $type(u64);

        #[orchestrate(pattern = "n")]
        impl $type {
            $(
                #[orchestrate(id = $argument * $self.0)]
                $vis async fn $name(&$self, $argument: u64) -> Result<u64, Odd> $body
            )*
        }
    };
}

of_a_block_of_methods!(Service {
    fn first(&self, n) { even(n * self.0) }
    pub(crate) fn second(&self, n) { self.first(n).await?; even(n) }
});

macro_rules! of_arguments {
    ($name:ident, $n:ident, $($arguments:tt)*) => {
        #[orchestrate($($arguments)*)]
        fn $name($n: u64) -> Result<u64, Odd> {
            even($n)
        }
    };
}

of_arguments!(arguments, n, pattern = "n", id = n, event);

macro_rules! with_a_key {
    ($name:ident, $returned:ty, $tag:literal, $key:expr) => {
        #[orchestrate(pattern = "n", id = $key, tags = [$tag])]
        async fn $name(n: u64) -> $returned {
            even(n)
        }
    };
}

with_a_key!(keyed_by_the_result, Result<u64, Odd>, "tagged", result);

macro_rules! nested {
    ($name:ident $body:block) => {
        of_a_block!(#[orchestrate(pattern = "n", id = n)] pub(crate) $name, n, { even(n) });
        const _: fn() = || $body;
    };
}

nested!(twice {});

/// What expands to `return`, to statements, and to tokens of the place.
macro_rules! leave {
    ($value:expr) => {
        return $value
    };
}

#[orchestrate(pattern = "n", id = n)]
async fn body_of_macros(n: u64) -> Result<u64, Odd> {
    macro_rules! check {
        ($condition:expr) => {
            if !$condition {
                return Err(Odd);
            }
        };
    }
    assert!(!concat!(file!(), ":", line!(), module_path!(), stringify!(n)).is_empty());
    check!(n.is_multiple_of(2));
    leave!(Ok(n))
}

#[orchestrate(pattern = "n", id = n)]
async fn body_of_one_macro(n: u64) -> Result<u64, Odd> {
    leave!(even(n))
}

/// What it says is not known before the function is compiled: an opaque type has no name in the body.
macro_rules! answer {
    (shown) => { Result<impl std::fmt::Display + use<>, Odd> };
    ($value:ty) => { Result<$value, Odd> };
}

#[orchestrate(pattern = "n", id = n)]
async fn type_macro(n: u64) -> answer!(u64) {
    let n = u32::try_from(even(n)?).map_err(|_| Odd)?;
    Ok(n.into())
}

#[orchestrate(pattern = "n", id = n)]
fn type_macro_sync(n: u64) -> answer!(u64) {
    let n = u32::try_from(even(n)?).map_err(|_| Odd)?;
    Ok(n.into())
}

#[orchestrate(pattern = "n", id = n)]
async fn opaque_type_macro(n: u64) -> answer!(shown) {
    even(n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
fn opaque_type_macro_sync(n: u64) -> answer!(shown) {
    even(n)?;
    Ok(n)
}

#[orchestrate(pattern = "n", id = n)]
async fn type_macro_inside(n: u64) -> Result<Vec<answer!(u64)>, Odd> {
    even(n).map(|n| vec![Ok(n)])
}

#[test]
fn type_macro_in_the_return_type_is_any_result() {
    both(type_macro);
    both_sync(type_macro_sync);
    both(async |n| opaque_type_macro(n).await.map(|shown| shown.to_string().parse().unwrap()));
    both_sync(|n| opaque_type_macro_sync(n).map(|shown| shown.to_string().parse().unwrap()));
    both(async |n| type_macro_inside(n).await.and_then(|mut all| all.remove(0)));
}

#[test]
fn fragments() {
    both(block);
    both(block_with_a_return);
    both(types);
    both(async |n| types_by_reference(&n).await);
    both(async |n| types_by_pattern((n, 1)).await);
    both(boxed_by_type);
    both(opaque_by_type);
    both_sync(sync_by_type);
    both(async |n| tokens(n, "x").await);
    both(async |n| two_of_the_same_name(n, 1).await);
    both(item);
    both(wrapped_item);
    both(async |n| generics(&n, 1).await.copied());
    both(async |n| Service(1).first(n).await);
    both_sync(arguments);
    both(twice);
    both(body_of_macros);
    both(body_of_one_macro);
}

#[test]
fn bodies_and_keys_of_tokens() {
    let seen = super::flows(async || {
        assert_eq!(body(1).await, Ok(4));
        assert_eq!(keyed_by_the_result(4).await, Ok(4));
        assert_eq!(Service(1).second(2).await, Ok(2));
    });
    let seen: Vec<_> = seen.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(seen, ["1", "4", "2", "2"]);
}
