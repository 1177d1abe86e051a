//! The methods of `Subscriptions` that are the same in each store.

/// The methods of `Subscriptions` that run one function of the tables: a change in a transaction, by the store's `change`, or a read by the named method.
#[doc(hidden)]
#[macro_export]
macro_rules! subscription_methods {
    ($tables:ident, $read:ident) => {
        fn register(&self, new: ::graceful::backends::NewSubscriber) -> ::graceful::backends::Reply<bool> {
            self.change(new, |connection, new| {
                Box::pin(async move { $tables::register_subscriber(connection, &new).await })
            })
        }

        fn join(
            &self,
            reader: ::graceful::backends::ReaderId,
            join: ::graceful::backends::Join,
        ) -> ::graceful::backends::Reply<::graceful::backends::Joined> {
            self.change((reader, join), |connection, (reader, join)| {
                Box::pin(async move { $tables::join_readers(connection, &reader, join).await })
            })
        }

        fn release(
            &self,
            reader: ::graceful::backends::ReaderId,
            partitions: u32,
        ) -> ::graceful::backends::Reply<()> {
            self.change((reader, partitions), |connection, (reader, partitions)| {
                Box::pin(async move { $tables::release_partitions(connection, &reader, partitions).await })
            })
        }

        fn attempted(
            &self,
            reader: ::graceful::backends::ReaderId,
            entity: i64,
            position: u64,
        ) -> ::graceful::backends::Reply<u32> {
            self.change((reader, entity, position), |connection, (reader, entity, position)| {
                Box::pin(async move { $tables::attempted(connection, &reader, entity, position).await })
            })
        }

        fn park(
            &self,
            reader: ::graceful::backends::ReaderId,
            event: ::graceful::backends::ParkedEvent,
        ) -> ::graceful::backends::Reply<bool> {
            self.change((reader, event), |connection, (reader, event)| {
                Box::pin(async move { $tables::park_event(connection, &reader, &event, false).await })
            })
        }

        fn park_behind(
            &self,
            reader: ::graceful::backends::ReaderId,
            event: ::graceful::backends::ParkedEvent,
        ) -> ::graceful::backends::Reply<bool> {
            self.change((reader, event), |connection, (reader, event)| {
                Box::pin(async move { $tables::park_event(connection, &reader, &event, true).await })
            })
        }

        fn released(
            &self,
            reader: ::graceful::backends::ReaderId,
            partitions: u32,
            limit: usize,
        ) -> ::graceful::backends::Reply<Vec<::graceful::backends::ParkedEvent>> {
            self.$read(move |connection| {
                Box::pin(
                    async move { $tables::released_events(connection, &reader, partitions, limit).await },
                )
            })
        }

        fn end_released(
            &self,
            reader: ::graceful::backends::ReaderId,
            entity: i64,
            position: u64,
            failed: Option<(u32, ::graceful::Text)>,
        ) -> ::graceful::backends::Reply<bool> {
            self.change(
                (reader, entity, position, failed),
                |connection, (reader, entity, position, failed)| {
                    Box::pin(async move {
                        $tables::end_released(connection, &reader, entity, position, failed.as_ref()).await
                    })
                },
            )
        }

        fn receive(
            &self,
            reader: ::graceful::backends::ReaderId,
            events: Vec<::graceful::backends::NewEvent>,
        ) -> ::graceful::backends::Reply<bool> {
            self.change((reader, events), |connection, (reader, events)| {
                Box::pin(async move { $tables::receive_events(connection, &reader, &events).await })
            })
        }

        fn received(
            &self,
            subscriber: ::graceful::Text,
            after: u64,
            partitions: u32,
            limit: usize,
        ) -> ::graceful::backends::Reply<::graceful::backends::LogPage> {
            self.$read(move |connection| {
                Box::pin(async move {
                    $tables::received_events(connection, &subscriber, after, partitions, limit).await
                })
            })
        }

        fn purge_received(&self, age: ::std::time::Duration) -> ::graceful::backends::Reply<u64> {
            self.change(age, |connection, age| Box::pin($tables::purge_received_events(connection, age)))
        }

        fn subscribers(&self) -> ::graceful::backends::Reply<Vec<::graceful::backends::SubscriberState>> {
            self.$read(|connection| Box::pin($tables::subscribers(connection)))
        }

        fn parked(
            &self,
            subscriber: ::graceful::Text,
            after: u64,
            limit: usize,
        ) -> ::graceful::backends::Reply<Vec<::graceful::backends::ParkedEvent>> {
            self.$read(move |connection| {
                Box::pin(async move { $tables::parked_events(connection, &subscriber, after, limit).await })
            })
        }

        fn resubmit(
            &self,
            subscriber: ::graceful::Text,
            position: u64,
        ) -> ::graceful::backends::Reply<::graceful::backends::Resubmitted> {
            self.change((subscriber, position), |connection, (subscriber, position)| {
                Box::pin(async move { $tables::resubmit_parked(connection, &subscriber, position).await })
            })
        }

        fn discard(
            &self,
            subscriber: ::graceful::Text,
            position: u64,
        ) -> ::graceful::backends::Reply<Option<::graceful::backends::ParkedEvent>> {
            self.change((subscriber, position), |connection, (subscriber, position)| {
                Box::pin(async move { $tables::discard_parked(connection, &subscriber, position).await })
            })
        }

        fn skip(&self, subscriber: ::graceful::Text, to: u64) -> ::graceful::backends::Reply<()> {
            self.change((subscriber, to), |connection, (subscriber, to)| {
                Box::pin(async move { $tables::skip_to(connection, &subscriber, to).await })
            })
        }

        fn unregister(&self, subscriber: ::graceful::Text) -> ::graceful::backends::Reply<bool> {
            self.change(subscriber, |connection, subscriber| {
                Box::pin(async move { $tables::unregister_subscriber(connection, &subscriber).await })
            })
        }
    };
}
