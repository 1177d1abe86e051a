//! What the cache server does when a message arrives. Each is one script, so nothing happens in between.

use crate::{
    rule::Rule,
    scenario::{Kind, Scenario},
    state::{A, Cache, D, Each, Entry, Held, Message, ReaderPhase, State, Version, Writer, WriterPhase},
};

impl Scenario {
    /// A message arrives, and the server runs its script.
    pub(crate) fn deliver(&self, state: &mut State, message: Message) {
        state.messages.remove(&message);
        match message {
            Message::Hold { writer } => self.hold(state, writer),
            Message::End { writer, sent, awaited } => {
                self.end(state, writer, &sent);
                if awaited && state.writers[writer].phase == WriterPhase::Ending {
                    state.writers[writer].phase = WriterPhase::Ended;
                }
            }
            Message::LookUp { reader } => {
                // Its reply decides what the reader does next, so without a reader that waits it makes no difference.
                if state.readers[reader].phase == ReaderPhase::LookingUp {
                    self.look_up(state, reader);
                }
            }
            Message::Fill { reader, entry } => {
                self.fill(&mut state.cache, entry);
                if state.readers[reader].phase == ReaderPhase::Filling {
                    state.readers[reader].phase = ReaderPhase::Done;
                }
            }
        }
    }

    /// Sets a fresh mark and a hold on all that a write changes.
    fn hold(&self, state: &mut State, writer: usize) {
        let write = self.writes[writer];
        let cache = &mut state.cache;
        let old = cache.marks;
        let is_free = write.changes.iter().all(|&entity| cache.holds[entity].is_empty())
            && (!write.depends_on_d || cache.holds[D].is_empty());
        let is_late = self.is_tx() && self.follows(Rule::LateDrops);
        for &entity in write.changes {
            cache.marks[entity] = Some(state.unused_mark);
            cache.holds[entity].insert(writer);
        }
        if write.depends_on_d {
            cache.marks[D].get_or_insert(state.unused_mark + 1);
        }
        state.unused_mark += 2;
        let held = Held { old, new: cache.marks, clean: is_free && !is_late, incarnation: cache.incarnation };
        let waiting = &mut state.writers[writer];
        if waiting.phase == WriterPhase::Holding {
            waiting.phase = WriterPhase::Held;
            waiting.held = Some(held);
        }
    }

    /// Removes the holds of a write and sets a fresh mark; then puts its value, or restores the old marks.
    fn end(&self, state: &mut State, writer: usize, sent: &Writer) {
        let write = self.writes[writer];
        let is_unchanged = self.is_unchanged(&state.cache, writer, sent);
        let is_clean = sent.held.is_some_and(|held| held.clean);
        let permits = |cas| (is_unchanged || !self.follows(cas)) && (is_clean || !self.follows(Rule::Clean));
        // The outcome of a dropped write is unknown: its commit may still be in flight.
        let leaves_hold = write.kind == Kind::Drop && self.follows(Rule::Unknown);
        let cache = &mut state.cache;
        for &entity in write.changes {
            if self.follows(Rule::FreshEnd) || cache.marks[entity].is_none() {
                cache.marks[entity] = Some(state.unused_mark);
            }
            if !leaves_hold {
                cache.holds[entity].remove(writer);
            }
        }
        state.unused_mark += 1;
        match write.kind {
            Kind::Put if permits(Rule::PutCas) => self.put(cache, writer, sent),
            Kind::Fail if permits(Rule::RestoreCas) => self.restore(cache, writer, sent),
            _ => {}
        }
    }

    /// Whether the marks are those that the hold of a write set, and no other write holds any of the entities.
    fn is_unchanged(&self, cache: &Cache, writer: usize, sent: &Writer) -> bool {
        let write = self.writes[writer];
        sent.held.is_some_and(|held| {
            let changed = |&entity: &usize| {
                cache.marks[entity] != held.new[entity] || !cache.holds[entity].is_only(writer)
            };
            !write.changes.iter().any(changed)
                && (!write.depends_on_d || cache.marks[D] == held.new[D] && cache.holds[D].is_empty())
                && (cache.incarnation == held.incarnation || !self.follows(Rule::Incarnation))
        })
    }

    /// Stores the value of a write under its fresh mark, and under the mark that its dependency had at the hold.
    fn put(&self, cache: &mut Cache, writer: usize, sent: &Writer) {
        let [a, d] = sent.written.unwrap_or_default();
        let dependency =
            if self.writes[writer].depends_on_d { sent.held.and_then(|held| held.new[D]) } else { None };
        cache.entry = Some(Entry {
            value: [a.unwrap_or_default(), d.unwrap_or(sent.seen)],
            marks: [cache.marks[A], dependency],
            incarnation: cache.incarnation,
        });
    }

    /// Puts back the marks that a write replaced, since it changed nothing.
    fn restore(&self, cache: &mut Cache, writer: usize, sent: &Writer) {
        if let Some(held) = sent.held {
            for &entity in self.writes[writer].changes {
                cache.marks[entity] = held.old[entity];
            }
        }
    }

    /// Answers from the cache, or else tells the marks; a mark that is missing is created.
    fn look_up(&self, state: &mut State, reader: usize) {
        if let Some(value) = self.hit(&state.cache) {
            state.readers[reader].phase = ReaderPhase::Done;
            state.readers[reader].value = value;
            return;
        }
        let cache = &mut state.cache;
        for (fresh, &entity) in (state.unused_mark..).zip(self.reads) {
            cache.marks[entity].get_or_insert(fresh);
        }
        state.unused_mark += 2;
        let has_begun = |&other: &usize| other != reader && state.readers[other].phase != ReaderPhase::Start;
        let earlier = (0..self.readers).filter(has_begun).collect();
        let is_held = self.reads.iter().any(|&entity| !cache.holds[entity].is_empty());
        let waiting = &mut state.readers[reader];
        waiting.phase = ReaderPhase::Missed;
        waiting.marks = Some(self.read_marks(cache.marks));
        waiting.storable = !is_held || !self.follows(Rule::FillNoHold);
        waiting.incarnation = cache.incarnation;
        waiting.earlier = earlier;
    }

    /// The cached value, if the entry has the current mark of everything that the readers depend on.
    pub(crate) fn hit(&self, cache: &Cache) -> Option<Each<Version>> {
        let entry = cache.entry?;
        let is_current = |&entity: &usize| match entry.marks[entity] {
            Some(mark) => cache.marks[entity] == Some(mark),
            None => !self.follows(Rule::AllMarks),
        };
        let is_valid = entry.incarnation == cache.incarnation || !self.follows(Rule::Incarnation);
        (self.reads.iter().all(is_current) && is_valid).then_some(entry.value)
    }

    /// Stores what a reader loaded.
    fn fill(&self, cache: &mut Cache, entry: Entry) {
        let current = self.read_marks(cache.marks);
        let is_unchanged =
            current == entry.marks && self.reads.iter().all(|&entity| cache.holds[entity].is_empty());
        let is_valid = entry.incarnation == cache.incarnation || !self.follows(Rule::Incarnation);
        if (is_unchanged || !self.follows(Rule::FillCas)) && is_valid {
            cache.entry = Some(Entry { value: entry.value, marks: current, incarnation: cache.incarnation });
        }
    }
}
