//! Handlers whose flows and results are stored under their identity.

use crate::changes;

changes! {
    durable_handler_gone [lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, name = "users::other")]
        async fn other() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::other")]
        async fn other() -> Result<(), Code> { pending().await }
    }
    durable_handler_renamed [lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    idempotent_handler_renamed [lock "handler users::pay"] {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge")]
        async fn charge(key: String) -> Result<u32, StepError> { pending().await }
    }
    durable_to_inline [handler "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    }
    was_names_a_living_handler [handler "handler users::change"] {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    was_is_misspelt [handler "handler users::change", lock "handler users::update"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "user::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    was_names_the_former_identity_of_two [handler "handler users::change", handler "handler users::rename"] {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::rename", was = "users::update")]
        async fn rename() -> Result<(), Code> { pending().await }
    }
}
