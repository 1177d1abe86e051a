//! Names, patterns, emitters and codes of events.

use crate::changes;

changes! {
    event_added {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_deleted", name = "users::delete")]
        async fn delete() -> Result<(), Code> { pending().await }
    }
    second_emitter_of_the_type {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::rename")]
        async fn rename() -> Result<Out, Code> { pending().await }
    }
    parameter_and_function_renamed {
        #[orchestrate(pattern = "user", cache = id, event = "user_updated", name = "users::update")]
        async fn update(id: u32) -> Result<Plain, Code> { pending().await }
    } => {


        #[orchestrate(pattern = "user", cache = user, event = "user_updated", name = "users::update")]
        async fn change(user: u32) -> Result<Plain, Code> { pending().await }
    }
    code_added {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound, message = "no such user")]
            Gone,
            #[classify(code = Aborted)]
            Conflict,
            #[classify(transparent)]
            Number(std::num::ParseIntError),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
}
