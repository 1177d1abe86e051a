//! Names, patterns, emitters and codes of events.

use crate::changes;

changes! {
    event_gone [lock "event user_updated", lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[orchestrate(pattern = "user", id = 1, name = "users::update")]
        async fn update() -> Result<Plain, Code> { pending().await }
    }
    event_renamed [lock "event user_updated", lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event = "user_changed", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    failure_event_renamed [lock "event user_updated.failed"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "user", id = 1, event(name = "user_updated", failed = "user_lost"), name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    pattern_of_event_changed [lock "event user_updated pattern user", lock "event user_updated.failed pattern user"] {
        emits! { struct Out { id: u32 } }
    } => {
        #[derive(Serialize, JsonSchema)]
        struct Out { id: u32 }
        #[orchestrate(pattern = "person", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<Out, Code> { pending().await }
    }
    second_emitter_of_another_type [handler "event user_updated data"] {
        emits! { struct Out { id: u32 } }
    } => {
        emits! { struct Out { id: u32 } }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::rename")]
        async fn rename() -> Result<String, Code> { pending().await }
    }
    code_gone [lock "event user_updated.failed code ABORTED"] {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
            #[classify(code = Aborted)]
            Conflict,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = NotFound)]
            Missing,
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
    code_only_through_a_wrapped_error [lock "event user_updated.failed code DEADLINE_EXCEEDED"] {
        #[derive(Debug, Classify)]
        #[classify(code = DeadlineExceeded)]
        struct Late;
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(code = DeadlineExceeded)]
            Late(Late),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    } => {
        #[derive(Debug, Classify)]
        #[classify(code = DeadlineExceeded)]
        struct Late;
        #[derive(Debug, Classify)]
        enum Fault {
            #[classify(transparent)]
            Late(Late),
        }
        #[orchestrate(pattern = "user", id = 1, event = "user_updated", name = "users::update")]
        async fn update() -> Result<(), Fault> { pending().await }
    }
}
