//! A headless Chromium for tests of web pages, and reverse proxies in front of the pages.
//!
//! A test that uses it requires `"chromium"` and `"chromedriver"`, and `Axe` if it calls [`Browser::axe`]:
//!
//! ```no_run
//! # #[macro_use(test)]
//! # extern crate graceful_tests;
//! use graceful_tests_browser::{Browser, By, Front, Options, View};
//!
//! #[test(requires("chromium", "chromedriver", Axe))]
//! async fn page_is_accessible_behind_a_proxy() {
//!     # let routes = axum::Router::new();
//!     let server = graceful_tests::http::serve(routes).await;
//!     let front = Front::stripping("/ops", server.address).await;
//!     let browser = Browser::start(&Options { view: View::NARROW.dark(), ..Options::default() }).await;
//!     browser.goto(front.url("/")).await.unwrap();
//!     browser.click(By::LinkText("flows")).await;
//!     assert_eq!(browser.axe().await, [""; 0]);
//!     assert_eq!(browser.errors().await, [""; 0]);
//!     assert_eq!(browser.requests_outside(&front.origin()).await, [""; 0]);
//!     browser.screenshot("flows-360-dark").await;
//! }
//! # fn main() {}
//! ```
#![allow(missing_docs, clippy::missing_panics_doc, reason = "for tests: a helper that panics fails the test")]

mod axe;
mod browser;
mod chromedriver;
mod client;
mod front;
mod log;
mod view;

pub use thirtyfour::{self, By, Key, WebElement};

pub use self::{
    browser::{Browser, Options},
    front::Front,
    log::Entry,
    view::{Scheme, View},
};
