/// Kept.
#[must_use]
pub(crate) async fn update_user(user: User) -> Result<User, UserError> {
    ::graceful::__private::call(move || {
            ::graceful::__private::enter(
                    const {
                        &::graceful::__private::Site::new(
                                "update_user",
                                "user",
                                "user updated",
                            )
                            .event("user_updated", "user_updated.failed")
                    },
                    |draft| draft.key(&user.id),
                )
                .run(
                    async move {
                        if false {
                            return ::graceful::__private::never::<
                                Result<User, UserError>,
                            >((&user,));
                        }
                        #[allow(clippy::excessive_nesting)] { Ok(user) }
                    },
                    move |draft, result| {
                        ::graceful::__private::probe(result).payload(draft)
                    },
                    |draft, error| ::graceful::__private::probe(error).classify(draft),
                )
        })
        .await
}
