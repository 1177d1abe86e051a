//! The verification of the audit chain.

use std::time::Duration;

use maud::html;

use super::{
    Action, Done,
    recorded::{Deed, Kind, recorded},
};
use crate::{
    access::Permission,
    page::{PageError, fields, text},
    request::{Query, View},
};

/// How long a verification may take. A longer one needs the command line.
const TIME: Duration = Duration::from_secs(30);

/// The longest head.
const MAX_HEAD: usize = 200;

/// Verifies that no audit record was changed.
#[derive(Debug)]
pub(super) struct VerifyChain {
    /// A head that was written down before.
    known: Option<String>,
}

impl Action for VerifyChain {
    const NAME: &'static str = "verify-chain";
    const PERMISSION: Permission = Permission::Verify;

    fn parse(form: &mut Query) -> Result<Self, PageError> {
        let known = form.take("known")?.map(|known| known.trim().to_owned());
        match known.as_ref().is_some_and(|known| known.len() > MAX_HEAD) {
            true => Err(PageError::invalid("`known` is no head of the chain")),
            false => Ok(Self { known }),
        }
    }

    async fn act(self, view: &View) -> Result<Done, PageError> {
        let Some(log) = view.orchestrator().audit() else {
            return Err(PageError::not_found("there is no audit log"));
        };
        let work = async {
            let _turn = view.shared.slow_turn()?;
            let verified = tokio::time::timeout(TIME, log.verify_chain(self.known.as_deref())).await;
            let late = || {
                PageError::unavailable(format_args!(
                    "the verification took longer than {} s and was ended: use `audit verify` of the command line",
                    TIME.as_secs()
                ))
            };
            verified.map_err(|_| late())?.map_err(|error| PageError::changed(error.message()))
        };
        let head = recorded(view, Kind::VerifyChain, Deed::new("verify the audit chain"), work).await?;
        Ok(Done::answer("audit", "The audit chain is intact", move |_| {
            html! {
                p role="status" { "No record was changed. Write the head down: the next verification can prove that the chain was not made anew." }
                (fields(&[("head", html! { code { (text(&head)) } })]))
                p { a href="audit" { "Back to the records" } }
            }
        }))
    }
}
