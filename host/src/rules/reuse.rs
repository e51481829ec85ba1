//! Answers that are used again, for whom the rule would be told the same.
//!
//! A rule has nothing but what it is told, so what it asks next, and what it
//! answers in the end, follows from what it has been told so far. What it asked
//! once is kept as a tree: each question, then by what came back the next one,
//! or the answer. Walking it asks the view all the same, so reads are tracked,
//! times become wake-ups and grants hold; only the component isn't run.
//!
//! Asked in a refresh of many, most assignment rules and triggers look at a few
//! attributes of which there are few values. Where that isn't so a tree costs
//! more than it saves, and is given up.

use idr_core::definitions::RuleIndex;
use idr_core::view::TrackedView;
use rustc_hash::FxHashMap;

use super::call::{Log, Trace};
use super::error::Trouble;
use super::kind::{Answer, Question};
use super::query::{Query, Told};
use super::read::Read;

/// Longer ways to an answer are not kept.
const MOST_STEPS: usize = 64;

/// More text on a way, with the answer, is not kept.
const MOST_BYTES: usize = 4_096;

/// A tree that has grown so large starts anew.
const MOST_NODES: usize = 4_096;

/// So many questions to a rule have a tree each.
const MOST_TREES: usize = 64;

/// A tree that has given nobody an answer after so many times is given up ...
const FIRST_TRIAL: u32 = 128;

/// ... and after so many times one ...
const TRIAL: u32 = 1_024;

/// ... that has answered fewer than one in so many.
const WORTH_ONE_IN: u32 = 4;

/// What one rule has answered.
#[derive(Default)]
pub(super) struct Answers {
    trees: Vec<(Asked, Tree)>,
}

/// A question to a rule, as far as it isn't about whom it is asked.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Plain,
    Named(String),
    Candidates(Vec<String>),
}

#[derive(Default)]
struct Tree {
    /// The first one is the root.
    nodes: Vec<Node>,
    asked: u32,
    found: u32,
    given_up: bool,
}

enum Node {
    Asks {
        query: Query,
        /// Whoever makes values meet in it gains nothing: a tree has only so many.
        next: FxHashMap<Told, usize>,
    },
    Answers(Answer, Log),
}

/// A rule asked or answered something else than before, although it was told
/// the same: it remembers.
#[derive(Debug)]
pub(super) struct Remembers;

impl Asked {
    /// Returns none for questions that are hardly ever the same again.
    fn of(question: Question<'_>) -> Option<Self> {
        Some(match question {
            Question::BeforeRefresh | Question::AfterRefresh | Question::State => Self::Plain,
            Question::Promote(name)
            | Question::Fires(name)
            | Question::Compose(name)
            | Question::Judge(name) => Self::Named(name.to_owned()),
            Question::Assign(candidates) => Self::Candidates(candidates.to_vec()),
            Question::CorrelateAccount
            | Question::CreateIdentity
            | Question::CorrelateManager(_)
            | Question::ValueChange(_)
            | Question::SelectAccount(_)
            | Question::MapTarget(_) => return None,
        })
    }

    fn is(&self, question: Question<'_>) -> bool {
        match question {
            Question::BeforeRefresh | Question::AfterRefresh | Question::State => {
                *self == Self::Plain
            }
            Question::Promote(name)
            | Question::Fires(name)
            | Question::Compose(name)
            | Question::Judge(name) => matches!(self, Self::Named(known) if known == name),
            Question::Assign(candidates) => {
                matches!(self, Self::Candidates(known) if known == candidates)
            }
            _ => false,
        }
    }
}

impl Answers {
    /// Returns the answer and what was logged with it, if the rule has been told
    /// the same before; then the view has noted what it would have.
    ///
    /// # Errors
    ///
    /// [`Trouble::Read`] when the view refuses what the rule would ask.
    pub(super) fn find(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        view: &mut TrackedView,
    ) -> Result<Option<(&Answer, &Log)>, Trouble> {
        let found = self.trees.iter_mut().find(|(asked, _)| asked.is(question));
        let Some((_, tree)) = found else {
            return Ok(None);
        };
        tree.judge();
        if tree.given_up {
            return Ok(None);
        }
        tree.asked += 1;
        let start = view.mark();
        let mut place = Some(0);
        while let Some(node) = place.and_then(|place| tree.nodes.get(place)) {
            match node {
                Node::Answers(answer, log) => {
                    tree.found += 1;
                    return Ok(Some((answer, log)));
                }
                Node::Asks { query, next } => {
                    let told = query.ask(rule, view).map_err(Trouble::Read)?;
                    place = next.get(&told).copied();
                }
            }
        }
        view.rewind(&start);
        Ok(None)
    }

    /// Returns what takes down how the rule comes to its answer, where that is of use.
    pub(super) fn trace(&mut self, question: Question<'_>) -> Option<Trace> {
        let known = self.trees.iter().find(|(asked, _)| asked.is(question));
        match known {
            Some((_, tree)) if tree.given_up => return None,
            Some(_) => {}
            None if self.trees.len() == MOST_TREES => return None,
            None => self.trees.push((Asked::of(question)?, Tree::default())),
        }
        Some(Trace::new(MOST_STEPS))
    }

    /// Keeps an answer and the way to it.
    ///
    /// # Errors
    ///
    /// [`Remembers`] when the rule contradicts itself; then all that was kept
    /// of the question is forgotten.
    pub(super) fn learn(
        &mut self,
        question: Question<'_>,
        trace: Option<Trace>,
        answer: &Answer,
        log: &Log,
    ) -> Result<(), Remembers> {
        let tree = self.trees.iter_mut().find(|(asked, _)| asked.is(question));
        let (Some((_, tree)), Some(trace)) = (tree, trace) else {
            return Ok(());
        };
        let told = trace.steps.iter().map(|(_, told)| told.transfer_bytes());
        if trace.is_cut || told.sum::<usize>() + answer.text_bytes() > MOST_BYTES {
            return Ok(());
        }
        let learnt = tree.learn(trace, answer, log);
        if learnt.is_err() {
            *tree = Tree::default();
        }
        learnt
    }
}

impl Tree {
    fn judge(&mut self) {
        self.given_up |= match self.asked {
            FIRST_TRIAL => self.found == 0,
            TRIAL => self.found < TRIAL / WORTH_ONE_IN,
            _ => false,
        };
        if self.asked == TRIAL {
            (self.asked, self.found) = (0, 0);
        }
        if self.given_up {
            self.nodes = Vec::new();
        }
    }

    fn learn(&mut self, trace: Trace, answer: &Answer, log: &Log) -> Result<(), Remembers> {
        if self.nodes.len() > MOST_NODES {
            self.nodes.clear();
        }
        let mut place = 0;
        // Parameters are the same whoever is asked about.
        let of_whom =
            |(query, _): &(Query, Told)| !matches!(query, Query::Read(Read::Parameter(_)));
        for (asked, told) in trace.steps.into_iter().filter(of_whom) {
            if place == self.nodes.len() {
                self.nodes.push(Node::Asks {
                    query: asked.clone(),
                    next: FxHashMap::default(),
                });
            }
            let vacant = self.nodes.len();
            match &mut self.nodes[place] {
                Node::Asks { query, next } if *query == asked => {
                    place = *next.entry(told).or_insert(vacant);
                }
                _ => return Err(Remembers),
            }
        }
        match self.nodes.get(place) {
            None => {
                self.nodes.push(Node::Answers(answer.clone(), log.clone()));
                Ok(())
            }
            Some(Node::Answers(known, _)) if known == answer => Ok(()),
            Some(_) => Err(Remembers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str) -> Query {
        Query::Read(Read::Attribute(name.to_owned()))
    }

    fn told(text: &str) -> Told {
        Told::Text(text.to_owned())
    }

    fn learn(answers: &mut Answers, steps: &[(&str, &str)], answer: bool) -> Result<(), Remembers> {
        let question = Question::Fires("left");
        let mut trace = answers.trace(question).expect("it is of use");
        for (name, text) in steps {
            trace.note(attribute(name), &told(text));
        }
        learn_trace(answers, trace, answer)
    }

    fn learn_trace(answers: &mut Answers, trace: Trace, answer: bool) -> Result<(), Remembers> {
        let question = Question::Fires("left");
        answers.learn(
            question,
            Some(trace),
            &Answer::Fires(answer),
            &Log::default(),
        )
    }

    #[test]
    fn what_contradicts_an_earlier_evaluation_is_noticed() {
        let mut answers = Answers::default();
        learn(&mut answers, &[("a", "1"), ("b", "2")], true).expect("the first");
        learn(&mut answers, &[("a", "1"), ("b", "3")], false).expect("told something else");
        learn(&mut answers, &[("a", "2"), ("c", "3")], false).expect("goes on differently");
        learn(&mut answers, &[("a", "1"), ("b", "2")], true).expect("the same again");
        for (contradiction, answer) in [
            (&[("a", "1"), ("b", "2")][..], false),
            (&[("a", "1"), ("c", "2")], true),
            (&[("a", "1")], true),
            (&[("b", "2")], true),
            (&[], true),
        ] {
            let mut answers = Answers::default();
            learn(&mut answers, &[("a", "1"), ("b", "2")], true).expect("the first");
            learn(&mut answers, contradiction, answer).expect_err("it remembers");
            learn(&mut answers, contradiction, answer).expect("all else is forgotten");
        }
    }

    #[test]
    fn long_ways_are_not_kept() {
        let mut answers = Answers::default();
        let steps = vec![("a", "1"); MOST_STEPS + 1];
        learn(&mut answers, &steps, true).expect("not kept");
        let text = "x".repeat(MOST_BYTES + 1);
        learn(&mut answers, &[("a", &text)], true).expect("not kept");
        learn(&mut answers, &[("b", "1")], true).expect("it is the first that is kept");
    }

    #[test]
    fn parameters_are_no_steps() {
        let mut answers = Answers::default();
        let mut trace = answers.trace(Question::State).expect("it is of use");
        trace.note(Query::Read(Read::Parameter("x".to_owned())), &told("1"));
        let answer = Answer::State("active".to_owned());
        answers
            .learn(Question::State, Some(trace), &answer, &Log::default())
            .expect("the first");
        assert!(matches!(answers.trees[0].1.nodes[..], [Node::Answers(..)]));
    }

    #[test]
    fn a_tree_that_gives_too_few_answers_is_given_up() {
        for (asked, found, given_up) in [
            (FIRST_TRIAL - 1, 0, false),
            (FIRST_TRIAL, 0, true),
            (FIRST_TRIAL, 1, false),
            (TRIAL, TRIAL / WORTH_ONE_IN, false),
            (TRIAL, TRIAL / WORTH_ONE_IN - 1, true),
        ] {
            let mut tree = Tree {
                asked,
                found,
                ..Tree::default()
            };
            tree.judge();
            assert_eq!(tree.given_up, given_up, "{found} of {asked}");
        }
    }
}
