//! The arguments of `subscribers`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Subscribers {
    /// List the registered subscribers: how far they have read, how many processes read, and how many events are parked.
    List,
    /// List the parked events of a subscriber, the oldest first, without their data.
    Parked {
        /// The subscriber, as `subscribers list` prints it.
        #[arg(value_name = "SUBSCRIBER")]
        subscriber: String,
        /// How many, at least 1.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Begin after this position, which ended the page before.
        #[arg(long, value_name = "POSITION")]
        after: Option<u64>,
    },
    /// Let a parked event run again, and after it the later ones of its entity.
    Resubmit(Event),
    /// Delete a parked event. The later ones of its entity run.
    Discard(LostEvent),
    /// Let a subscriber go on after a position: it does not get the events up to there.
    Skip(LostEvent),
    /// Delete a subscriber that is not used any more, with its position and its parked events.
    Unregister {
        /// The subscriber, as `subscribers list` prints it.
        #[arg(value_name = "SUBSCRIBER")]
        subscriber: String,
        /// Act without asking.
        #[arg(long)]
        yes: bool,
        /// Who acts. Default: the user of the operating system.
        #[arg(long = "as", value_name = "NAME")]
        operator: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LostEvent {
    #[command(flatten)]
    pub event: Event,
    /// Act without asking.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Event {
    /// The subscriber, as `subscribers list` prints it.
    #[arg(value_name = "SUBSCRIBER")]
    pub subscriber: String,
    /// The position of the event.
    #[arg(value_name = "POSITION")]
    pub position: u64,
    /// Who acts. Default: the user of the operating system.
    #[arg(long = "as", value_name = "NAME")]
    pub operator: Option<String>,
}
