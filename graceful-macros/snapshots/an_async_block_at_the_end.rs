fn get(&self, id: u64) -> impl Future<Output = Result<User, Error>> + Send {
    ::core::future::IntoFuture::into_future(
        ::graceful::__private::enter_eager(
                const { &::graceful::__private::Site::new("get", "user", "get") },
                |draft| draft.id(&id),
            )
            .run(
                ::graceful::__private::called::<
                    Result<User, Error>,
                    _,
                >(move || {
                    let _ = (&id,);
                    #[allow(clippy::excessive_nesting)]
                    {
                        let users = self.users.clone();
                        async move { users.get(id).await }
                    }
                }),
                move |draft, result| ::graceful::__private::probe(result).payload(draft),
                |draft, error| ::graceful::__private::probe(error).classify(draft),
            ),
    )
}
