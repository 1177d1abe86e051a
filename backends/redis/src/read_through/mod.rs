//! The cache for handlers that read through it: the methods of the trait as scripts on the server.
//!
//! A hit is one `MGET`, since it is the most frequent call by far, and a script would keep the server busy for longer. Everything else is one
//! script, so that nothing happens between its parts.

mod names;
mod scripts;
mod stored;
mod write;

use std::{sync::Arc, time::Duration};

use ::redis::{FromRedisValue, cmd};
use graceful::{
    Key, StepError, Text,
    backends::{
        CacheEntry, End, Ended, EntryName, Held, Hit, Lease, LookUp, Mark, ReadThrough, Reply, Seen, Write,
    },
};

use self::{scripts::Arguments, write::Entities};
use crate::{
    cache::Cache,
    command::{Admission, Answer, Command, Sending},
    process::Process,
};

/// The reply of the script of a look-up: the entry, the marks, whether they are held, their age in milliseconds, and the lease.
type LookedUp = (Option<Vec<u8>>, Vec<String>, bool, u64, u8);

impl Cache {
    /// Runs a command that may be sent again.
    fn repeated<T: FromRedisValue + Send + 'static, S: Send + 'static, U: Send + 'static>(
        &self,
        command: impl Fn(&Process) -> (Command, S) + Send + Sync + 'static,
        into: impl FnOnce(Answer<T, S>) -> Option<U> + Send + 'static,
    ) -> Reply<U> {
        self.sent(
            Admission::WhileClosed,
            move |process, _| Some(command(process)),
            |answer| answer.and_then(into).ok_or_else(unexpected),
        )
    }

    fn sent<T: FromRedisValue + Send + 'static, S: Send + 'static, U: Send + 'static>(
        &self,
        admission: Admission,
        command: impl Fn(&Process, Sending) -> Option<(Command, S)> + Send + Sync + 'static,
        into: impl FnOnce(Option<Answer<T, S>>) -> Result<U, StepError> + Send + 'static,
    ) -> Reply<U> {
        let (connection, timeout) = (self.connection.clone(), self.timeout);
        Reply::within(&self.runtime, async move {
            let answer = connection.ask_process(admission, timeout, command).await?;
            into(answer.map_err(StepError::caused_by)?)
        })
    }
}

/// The time in milliseconds, rounded down.
fn whole_millis(time: Duration) -> usize {
    usize::try_from(time.as_millis()).unwrap_or(usize::MAX)
}

fn unexpected() -> StepError {
    StepError::new("Redis sent an unexpected reply")
}

fn looked_up(name: &EntryName, answer: Answer<LookedUp, Option<Mark>>) -> Option<LookUp> {
    let Answer { reply: (entry, marks, held, age, lease), process, sent: token } = answer;
    let marks: Vec<_> = marks.iter().map(|mark| stored::mark(mark)).collect::<Option<_>>()?;
    if let Some(hit) = entry.and_then(|entry| stored::read(name, &entry, &marks, &process)) {
        return Some(LookUp::Hit(hit));
    }
    let lease = match (lease, token) {
        (1, Some(token)) => Lease::Taken(token),
        (2, _) => Lease::Elsewhere,
        _ => Lease::None,
    };
    let youngest = Duration::from_millis(age).min(process.known_for());
    Some(LookUp::Missed(Seen::new(marks, held, process.incarnation, youngest, lease)))
}

impl ReadThrough for Cache {
    fn is_immediate(&self) -> bool {
        false
    }

    fn unfit(&self) -> Option<Text> {
        self.connection.unfit()
    }

    fn hit(&self, name: &EntryName) -> Reply<Option<Hit>> {
        let (marked, name) = (name.marked(), name.clone());
        let mut get = cmd("MGET");
        get.arg(names::entry(&name));
        for key in &marked {
            get.arg(names::mark(key));
        }
        let get = Arc::new(get);
        self.repeated(
            move |_| (Command::Plain(Arc::clone(&get)), ()),
            move |Answer { reply, process, .. }: Answer<Vec<Option<Vec<u8>>>, ()>| {
                let (entry, marks) = reply.split_first()?;
                let mark = |bytes: &Option<Vec<u8>>| stored::mark_of(bytes.as_ref()?, process.incarnation);
                let current: Option<Vec<_>> = marks.iter().map(mark).collect();
                Some(current.and_then(|current| stored::read(&name, entry.as_ref()?, &current, &process)))
            },
        )
    }

    fn look_up(
        &self,
        name: &EntryName,
        keep: Duration,
        lease: Option<Duration>,
        refresh: Option<Duration>,
    ) -> Reply<LookUp> {
        let (marked, token) = (name.marked(), lease.map(|_| Mark::random()));
        let asked = name.clone();
        self.repeated(
            move |process| {
                let arguments = Arguments::new(process.incarnation)
                    .time(keep)
                    .mark(token)
                    .time(lease.unwrap_or_default())
                    .count(refresh.map_or(0, whole_millis))
                    .marks(&scripts::fresh(&marked));
                let mut keys = vec![names::entry(&asked), names::lease(&asked)];
                keys.extend(names::marks_and_holds(&marked));
                (arguments.of(&scripts::LOOK_UP, keys), token)
            },
            {
                let name = name.clone();
                move |answer| looked_up(&name, answer)
            },
        )
    }

    fn fill(&self, name: &EntryName, seen: &Seen, entry: CacheEntry, ttl: Duration) -> Reply<bool> {
        let (name, seen) = (name.clone(), seen.clone());
        let marked = name.marked();
        let fill = move |process: &Process, sending| {
            // The marks, and the lease, are of the process that was asked.
            if process.incarnation != seen.incarnation {
                return None;
            }
            // Sent again, it stores nothing and only releases the lease.
            let may_be_stored = sending == Sending::First && !seen.held && seen.marks.len() == marked.len();
            let entry = may_be_stored
                .then(|| stored::entry(&name, &entry, &seen.marks, process.incarnation).ok())
                .flatten();
            let token = match seen.lease {
                Lease::Taken(token) => Some(token),
                _ => None,
            };
            let arguments = Arguments::new(process.incarnation)
                .mark(token)
                .time(ttl)
                .bytes(entry.unwrap_or_default())
                .marks(&seen.marks);
            let mut keys = vec![names::entry(&name), names::lease(&name)];
            keys.extend(names::marks_and_holds(&marked));
            Some((arguments.of(&scripts::FILL, keys), ()))
        };
        self.sent(Admission::WhileClosed, fill, |answer: Option<Answer<bool, ()>>| {
            Ok(answer.is_some_and(|answer| answer.reply))
        })
    }

    fn extend(&self, name: &EntryName, lease: Mark, expiry: Duration) -> Reply<bool> {
        let name = names::lease(name);
        self.repeated(
            move |process| {
                let arguments = Arguments::new(process.incarnation).mark(Some(lease)).time(expiry);
                (arguments.of(&scripts::EXTEND, vec![name.clone()]), ())
            },
            |answer: Answer<bool, ()>| Some(answer.reply),
        )
    }

    fn release(&self, name: &EntryName, lease: Mark) -> Reply<()> {
        let name = names::lease(name);
        self.repeated(
            move |process| {
                let arguments = Arguments::new(process.incarnation).mark(Some(lease));
                (arguments.of(&scripts::RELEASE, vec![name.clone()]), ())
            },
            |_: Answer<(), ()>| Some(()),
        )
    }

    fn hold(&self, write: &Write, expiry: Duration) -> Reply<Held> {
        let entities = Entities::of(write);
        let (changed, all) = (entities.changes.len(), entities.all().count());
        self.repeated(
            move |process| {
                let keys: Vec<_> = entities.all().cloned().collect();
                let fresh = scripts::fresh(&keys);
                let arguments = Arguments::new(process.incarnation)
                    .mark(Some(entities.token))
                    .time(expiry)
                    .count(changed)
                    .marks(&fresh);
                (arguments.of(&scripts::HOLD, names::marks_and_holds(&keys)), fresh)
            },
            move |Answer { reply, process, sent: mut new }: Answer<Vec<Option<String>>, Vec<Mark>>| {
                let (clean, marks) = reply.split_last()?;
                let mut old: Vec<_> =
                    marks.iter().map(|mark| mark.as_deref().and_then(stored::mark)).collect();
                if old.len() != all {
                    return None;
                }
                let others = old.split_off(changed).into_iter().collect::<Option<_>>()?;
                new.truncate(changed);
                Some(Held::new(old, new, others, clean.as_deref() == Some("1"), process.incarnation))
            },
        )
    }

    fn renew(&self, write: &Write, expiry: Duration) -> Reply<bool> {
        let entities = Entities::of(write);
        self.repeated(
            move |process| {
                let arguments = Arguments::new(process.incarnation)
                    .mark(Some(entities.token))
                    .time(expiry)
                    .count(entities.changes.len());
                (arguments.of(&scripts::RENEW, names::marks_and_holds(entities.all())), ())
            },
            |answer: Answer<bool, ()>| Some(answer.reply),
        )
    }

    fn end(&self, write: &Write, held: Option<&Held>, end: End) -> Reply<Ended> {
        let (entities, held) = (Entities::of(write), held.cloned());
        let succeeds_with = match end {
            End::Put { .. } => Ended::Put,
            End::Restore => Ended::Restored,
            End::Invalidate | End::Unknown => Ended::Invalidated,
        };
        // While the breaker is open, the connection on which the hold was confirmed is gone, and the server may have lost the hold.
        let admission = if held.is_some() { Admission::Always } else { Admission::WhileClosed };
        let end =
            move |process: &Process, sending| Some((entities.end(held.as_ref(), &end, process, sending), ()));
        self.sent(admission, end, move |answer: Option<Answer<bool, ()>>| {
            let has_succeeded = answer.ok_or_else(unexpected)?.reply;
            Ok(if has_succeeded { succeeds_with } else { Ended::Invalidated })
        })
    }

    fn invalidate_pattern(&self, pattern: &Key) -> Reply<()> {
        let names = names::marks_and_holds([pattern]);
        self.repeated(
            move |process| {
                let arguments = Arguments::new(process.incarnation).mark(Some(Mark::random()));
                (arguments.of(&scripts::INVALIDATE, names.clone()), ())
            },
            |_: Answer<(), ()>| Some(()),
        )
    }
}
