/// Kept.
#[must_use]
pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
    ::graceful::__private::enter(
            const {
                &::graceful::__private::Site::new("update_user", "user", "user updated")
                    .event("user_updated", "user_updated.failed")
            },
            |draft| {
                draft.key(&user.id);
            },
        )
        .run(
            async move {
                if false {
                    return ::graceful::__private::never::<Result<User, UserError>>();
                }
                let _ = &user;
                #[allow(clippy::excessive_nesting)] { Ok(user) }
            },
            move |draft, result| {
                ::graceful::__private::payload!(draft, result, payload);
            },
            |draft, error| ::graceful::__private::classify!(draft, error),
        )
        .await
}
