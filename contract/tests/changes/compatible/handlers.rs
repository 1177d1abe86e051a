//! Handlers whose flows and results are stored under their identity.

use crate::changes;

changes! {
    durable_handler_renamed {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::change", was = "users::update")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    idempotent_handler_renamed_twice {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::buy")]
        async fn buy(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge", was = ["users::pay", "users::buy"])]
        async fn charge(key: String) -> Result<u32, StepError> { pending().await }
    }
    stored_value_of_renamed_handler {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::pay")]
        async fn pay(key: String) -> Result<u32, StepError> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, idempotent = key, name = "users::charge", was = "users::pay")]
        async fn charge(key: String) -> Result<u64, StepError> { pending().await }
    }
    plain_handler_renamed {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::change")]
        async fn change() -> Result<(), Code> { pending().await }
    }
    inline_to_durable {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    } => {
        #[orchestrate(pattern = "user", id = 1, delivery = "durable", name = "users::update")]
        async fn update() -> Result<(), Code> { pending().await }
    }
    generic_parameter_renamed {
        struct Rows<T>(T);
        impl<T> Rows<T> {
            #[orchestrate(pattern = "user", id = 1, delivery = "durable")]
            async fn save(&self) -> Result<(), Code> { pending().await }
        }
        #[orchestrate(pattern = "user", id = 1, name = "users::get")]
        async fn get() -> Result<(), Code> { pending().await }
    } => {
        struct Rows<Key>(Key);
        impl<Key> Rows<Key> {
            // The identity has the path of the module, which is another one here.
            #[orchestrate(pattern = "user", id = 1, delivery = "durable", was = "changes::compatible::handlers::generic_parameter_renamed::old::Rows::save")]
            async fn save(&self) -> Result<(), Code> { pending().await }
        }
        #[orchestrate(pattern = "user", id = 1, name = "users::get")]
        async fn get() -> Result<(), Code> { pending().await }
    }
}
