//! The pages, one file each.

mod alerts;
mod audit;
mod entity;
mod flow;
mod flows;
mod graph;
mod groups;
mod handlers;
mod jobs;
mod operation;
mod operations;
mod overview;
mod settings;
mod throughput;

use std::sync::Arc;

use axum::Router;

pub(crate) use self::flows::filter as flow_filter;
use crate::{
    Shared,
    page::{Page, PageError, filter_routes, page, rendered},
    request::View,
};

macro_rules! pages {
    ($($page:ty),* $(,)?) => {
        /// The routes of all pages.
        pub(crate) fn routes(router: Router<Arc<Shared>>, at: &str) -> Router<Arc<Shared>> {
            let router = filter_routes(router, at);
            $(let router = page::<$page>(router, at);)*
            router
        }

        /// The live texts of a page, by its path and query.
        pub(crate) async fn cells(view: &View, path: &str, query: &str) -> Result<Vec<(String, String)>, PageError> {
            match path {
                $(<$page as Page>::PATH => Ok(rendered::<$page>(view, Some(query)).await?.1),)*
                _ => Err(PageError::not_found("there is no such page")),
            }
        }
    };
}

pages![
    overview::Overview,
    flow::OneFlow,
    flows::Flows,
    groups::Groups,
    handlers::Handlers,
    operation::OneOperation,
    operations::Operations,
    settings::Settings,
    jobs::Jobs,
    alerts::Alerts,
    audit::Audit,
    entity::Entity,
    graph::Graph,
];
