//! A group that a `macro_rules!` passes on stays a group, also beside an operator, a method or a bound.

use std::fmt::{Debug, Display};

use async_trait::async_trait;
use graceful::{Orchestrator, orchestrate};

use graceful_tests::{World, shapes::run};

use super::{Odd, both, both_sync, even, flows};

struct Users {
    first: u64,
}

const USERS: Users = Users { first: 0 };

const fn same(n: u64) -> u64 {
    n
}

/// The length of the array is `2 * (1 + 1)`, and so on.
macro_rules! of_groups {
    ($module:ident, $sum:expr, $negative:literal, $type:ty, $bounds:ty, $reference:expr, $range:expr, $choice:expr, $key:path) => {
        mod $module {
            use super::*;

            #[orchestrate(pattern = "n", id = 2 * $sum)]
            pub async fn operand(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = (2 * $sum) + same(2 * $sum) + [2 * $sum, 1][0] + { 2 * $sum })]
            pub async fn nested(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = $sum.pow(2) + $negative.max(0_i8) as u64 + $reference.first)]
            pub async fn receiver(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = if !$choice { $sum as $type } else { 0 }.min($key(9)))]
            pub fn negated(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = if 2 * $sum as $type < 9 { $range.len() } else { 0 })]
            pub fn cast(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = format!("{}", 2 * $sum))]
            pub async fn inside_of_a_macro(n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(
                                                pattern = "n",
                                                id = n,
                                                cache(key = 2 * $sum, value = 2 * $sum, version = 2 * $sum),
                                                event(payload = 2 * $sum),
                                                actor = 2 * $sum,
                                                metadata = Lengths { len: 2 * $sum },
                                                payload = 2 * $sum,
                                                graph(relation = "of", to = 2 * $sum),
                                                when = !$choice,
                                                on = Some(orchestrator).filter(|_| 2 * $sum == 4)
                                            )]
            pub async fn every_argument(orchestrator: &Orchestrator, n: u64) -> Result<u64, Odd> {
                even(n)
            }

            #[orchestrate(pattern = "n", id = n)]
            pub async fn body_and_signature(n: u64, array: [u64; 2 * $sum as usize]) -> Result<u64, Odd>
            where
                [u8; 2 * $sum as usize]: Debug,
            {
                assert_eq!([array.len() as u64, 2 * $sum, [2 * $sum][0]], [4; 3]);
                even(n)
            }

            #[orchestrate(pattern = "n", id = n)]
            pub fn bounds(n: u64, shown: &$bounds) -> Result<u64, Odd> {
                assert_eq!(shown.to_string(), "1");
                even(n)
            }

            pub struct Service;

            #[orchestrate(pattern = "n", id = 2 * $sum)]
            impl Service {
                pub const TWICE: u64 = 2 * $sum;

                #[orchestrate(actor = 2 * $sum)]
                pub async fn defaulted(n: u64) -> Result<u64, Odd> {
                    assert_eq!([Self::TWICE, 2 * $sum], [4; 2]);
                    even(n)
                }

                #[orchestrate(id = n)]
                pub fn bounds(n: u64, shown: &'static $bounds) -> Result<(u64, &'static $bounds), Odd> {
                    even(n).map(|n| (n, shown))
                }
            }

            #[async_trait]
            pub trait Dynamic {
                const FACTOR: u64;
                fn factor(&self) -> u64 {
                    Self::FACTOR
                }
                async fn call(&self, n: u64) -> Result<u64, Odd>;
                async fn call_of_a_macro(&self, n: u64) -> Result<u64, Odd>;
            }

            #[async_trait]
            impl Dynamic for Service {
                const FACTOR: u64 = 2;

                #[orchestrate(pattern = "n", id = self.factor() * $sum)]
                async fn call(&self, n: u64) -> Result<u64, Odd> {
                    even(n)
                }

                #[orchestrate(pattern = "n", id = format!("{}", self.factor() * $sum))]
                async fn call_of_a_macro(&self, n: u64) -> Result<u64, Odd> {
                    even(n)
                }
            }
        }
    };
}

#[derive(serde::Serialize)]
struct Lengths {
    len: u64,
}

of_groups!(
    groups,
    1_u64 + 1,
    -5_i8,
    u64,
    dyn Display + Send + Sync,
    &USERS,
    0..4_usize,
    same(1) == 1 && same(2) == 1,
    same
);

use groups::{Dynamic, Service};

#[derive(Clone, Copy, PartialEq, Eq)]
struct Point {
    x: u64,
}

impl Point {
    const fn is_right_of(self, x: u64) -> bool {
        self.x > x
    }
}

impl Iterator for Point {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        None
    }
}

/// The attribute takes a body apart that says something of the function.
macro_rules! of_literals {
    ($handler:ident, $point:expr, $field:expr, $method:expr, $leaves:expr) => {
        #[orchestrate(pattern = "n", id = n)]
        fn $handler(n: u64) -> Result<u64, Odd> {
            #![allow(clippy::needless_return, clippy::while_immutable_condition, clippy::single_match)]
            let here = Point { x: n };
            if here == $point {
                return Err(Odd);
            }
            if $field == n || $method {
                return Err(Odd);
            }
            if let Point { x: 9 } = $point {
                return Err(Odd);
            }
            while $point == here {
                return Err(Odd);
            }
            while let Point { x: 9 } = $point {
                return Err(Odd);
            }
            match $point {
                Point { x: 9 } => return Err(Odd),
                _ => {}
            }
            for _ in $point {
                return Err(Odd);
            }
            let _ = n == 9 && $leaves || n == 8;
            even(n)
        }
    };
}

of_literals!(literals, Point { x: 7 }, Point { x: 7 }.x, Point { x: 7 }.is_right_of(8), return Err(Odd));

#[test]
fn struct_literal_in_a_condition_stays_one() {
    both_sync(literals);
}

#[test]
fn group_beside_an_operator_stays_a_group() {
    let seen = flows(async || {
        groups::operand(2).await.unwrap();
        groups::nested(2).await.unwrap();
        groups::receiver(2).await.unwrap();
        groups::negated(2).unwrap();
        groups::cast(2).unwrap();
        groups::inside_of_a_macro(2).await.unwrap();
        Service::defaulted(2).await.unwrap();
        Service.call(2).await.unwrap();
        Service.call_of_a_macro(2).await.unwrap();
    });
    let seen: Vec<_> = seen.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(seen, ["4", "16", "4", "2", "4", "4", "4", "4", "4"]);
}

#[test]
fn group_in_each_argument_stays_a_group() {
    let world = World::new();
    run(groups::every_argument(&world.orchestrator, 2)).unwrap();
    let flow = world.reports.last().flow().clone();
    assert_eq!((flow.actor(), flow.version()), (Some("4"), Some(4)));
    assert_eq!(flow.cache_key().unwrap().id(), "4");
    assert_eq!(flow.payload().as_json(), "4");
    assert_eq!(flow.declared_metadata().unwrap()["len"], 4);
    assert_eq!(world.events()[0].data().result.as_json(), "4");
}

#[test]
fn group_in_the_body_or_the_signature_stays_a_group() {
    both(async |n| groups::body_and_signature(n, [0; 4]).await);
    both_sync(|n| groups::bounds(n, &1));
    both_sync(|n| Service::bounds(n, &1).map(|(n, _)| n));
}
