//! Handlers that cache values of different types under one pattern are refused. This is a program of its own, because it cannot
//! be installed.
#![allow(missing_docs, reason = "tests")]
#![allow(dead_code, reason = "handlers that are registered, and never called")]

use graceful::{
    Code, Orchestrator,
    backends::memory,
    error::{InstallError, UnmetRequirement},
};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct User {
    id: u64,
}

/// Not `Serialize`: an `Ok` of it invalidates.
#[derive(Debug)]
pub struct Opaque;

/// The second example of each is the other type.
pub mod different {
    use axum::{Json, http::StatusCode};
    use graceful::orchestrate;

    use super::{Code, User};

    pub const READ: u32 = line!() + 2;

    #[orchestrate(pattern = "user", cache = id)]
    async fn read(id: u64) -> Result<User, Code> {
        Ok(User { id })
    }

    #[orchestrate(pattern = "user", cache = user.id)]
    async fn update(user: User) -> Result<(StatusCode, Json<User>), Code> {
        Ok((StatusCode::OK, Json(user)))
    }

    pub const ORDERS: u32 = line!() + 2;

    #[orchestrate(pattern = "user", cache = "{id}")]
    async fn orders(id: u64) -> Result<Vec<u64>, Code> {
        Ok(vec![id])
    }

    pub const BLOCK: u32 = line!() + 6;

    struct Service(String);

    #[orchestrate(pattern = "user")]
    impl Service {
        #[orchestrate(cache(key = id.clone(), ttl = "1m"))]
        fn remove(&self, id: String) -> Result<Option<String>, Code> {
            Ok(Some(id + &self.0))
        }
    }
}

/// What is told apart, or cannot be told.
pub mod fine {
    use std::{borrow::Cow, sync::Arc};

    use graceful::orchestrate;

    use super::{Code, Opaque, Serialize, User};

    #[orchestrate(pattern = "account", cache = id)]
    async fn read(id: u64) -> Result<User, Code> {
        Ok(User { id })
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn shared(id: u64) -> Result<Option<Arc<User>>, Code> {
        Ok(Some(Arc::new(User { id })))
    }

    #[orchestrate(pattern = "account", cache = "list/{page}")]
    async fn list(page: u64) -> Result<Vec<User>, Code> {
        Ok(vec![User { id: page }])
    }

    #[orchestrate(pattern = "account", cache(key = id, on_ok = "invalidate"))]
    async fn delete(id: u64) -> Result<Vec<u64>, Code> {
        Ok(vec![id])
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn forget(id: u64) -> Result<(), Code> {
        let _ = id;
        Ok(())
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn opaque(id: u64) -> Result<Opaque, Code> {
        let _ = id;
        Ok(Opaque)
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn anything(id: u64) -> Result<serde_json::Value, Code> {
        Ok(id.into())
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn unnamed(id: u64) -> Result<impl Serialize, Code> {
        Ok(id)
    }

    #[orchestrate(pattern = "account", cache = off, id = id)]
    async fn not_cached(id: u64) -> Result<u64, Code> {
        Ok(id)
    }

    #[orchestrate(pattern = "account", cache(key = id, value = id))]
    async fn another_value(id: u64) -> Result<u64, Code> {
        Ok(id)
    }

    #[orchestrate(pattern = "account", cache = id)]
    async fn of_a_parameter<Entity: Serialize>(id: u64, entity: Entity) -> Result<Entity, Code> {
        let _ = id;
        Ok(entity)
    }

    #[orchestrate(pattern = "name", cache = id)]
    async fn borrowed<'a>(id: &'a str, _names: &'a [String]) -> Result<Cow<'a, str>, Code> {
        Ok(id.into())
    }

    #[orchestrate(pattern = "name", cache = id)]
    async fn owned(id: u64) -> Result<String, Code> {
        Ok(id.to_string())
    }

    struct Rows<Entity>(Vec<Entity>);

    impl<Entity: Clone + Serialize + Send + Sync> Rows<Entity> {
        #[orchestrate(pattern = "account", cache = id)]
        async fn get(&self, id: usize) -> Result<Entity, Code> {
            self.0.get(id).cloned().ok_or(Code::NotFound)
        }
    }

    impl<T: Default + Serialize> Rows<T> {
        #[orchestrate(pattern = "account", cache = id)]
        fn make(id: usize) -> Result<T, Code> {
            let _ = id;
            Ok(T::default())
        }

        #[orchestrate(pattern = "account", cache = id)]
        fn make_all(id: usize) -> Result<Self, Code>
        where
            Self: Serialize,
        {
            let _ = id;
            Ok(Self(vec![T::default()]))
        }
    }

    #[orchestrate(pattern = "account")]
    impl<Entity: Clone + Serialize + Send + Sync> Rows<Entity> {
        #[orchestrate(cache = id)]
        fn first(&self, id: usize) -> Result<Entity, Code> {
            self.0.get(id).cloned().ok_or(Code::NotFound)
        }
    }
}

fn refused(paths: &[&'static str]) -> Vec<String> {
    let builder = Orchestrator::builder().cache(memory::Cache::new());
    let named = paths.iter().fold(builder, |builder, path| builder.handlers(*path));
    named
        .build()
        .map_or_else(|error| error.to_string().lines().map(ToOwned::to_owned).collect(), |_| Vec::new())
}

fn conflicts() -> [String; 2] {
    let at = |line| format!("{}:{line}", file!());
    let told = |name, line, value| {
        format!(
            "`{name}` ({}) caches values of the type `{value}` under the pattern `user`, where `read` ({}) caches values of the type \
             `cached_types::User` under keys of the same form, so that one may be read for the other: give one of them a pattern of its \
             own, or keys of another form, as in `cache = \"list/{{id}}\"`; or let it cache nothing, by `cache(key = …, on_ok = \
             \"invalidate\")` or `cache = off`",
            at(line),
            at(different::READ)
        )
    };
    [
        told("orders", different::ORDERS, "alloc::vec::Vec<u64>"),
        told("remove", different::BLOCK, "alloc::string::String"),
    ]
}

#[test]
fn install_refuses_different_types_under_one_pattern_and_names_both_places() {
    let error = Orchestrator::in_memory().install().unwrap_err();
    assert_eq!(error.to_string(), conflicts().join("\n"));
    let InstallError::Unmet(unmet) = error else { panic!("{error}") };
    let handlers: Vec<_> = unmet.iter().map(UnmetRequirement::handler).collect();
    assert_eq!(handlers, ["orders", "remove"]);
}

#[test]
fn build_refuses_different_types_among_the_named_handlers_alone() {
    assert_eq!(refused(&[]), [""; 0]);
    assert_eq!(refused(&["cached_types::fine"]), [""; 0]);
    assert_eq!(refused(&["cached_types::different"]), conflicts());
    assert_eq!(refused(&["cached_types::different::read"]), [""; 0], "the other is another orchestrator's");
    assert_eq!(
        refused(&["cached_types::different::read", "cached_types::different::orders"]),
        conflicts()[..1]
    );
}

#[test]
fn orchestrator_without_a_cache_takes_handlers_of_different_types() {
    assert!(Orchestrator::builder().handlers("cached_types").build().is_ok());
}
