//! Sessions of users, of which the oldest end.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Sessions that are alive at the same time.
const MOST: usize = 2_000;

/// Requests that a session remembers.
const REMEMBERED: usize = 20;

/// What a user did last.
#[derive(Debug)]
pub(crate) struct Session {
    user: String,
    recent: Mutex<VecDeque<String>>,
}

impl Session {
    fn new(user: &str) -> Self {
        let user = format!("user {user}");
        let recent = Mutex::default();
        Self { user, recent }
    }

    /// Remembers a request, and returns who made it.
    pub(crate) fn remember(&self, request: &str) -> &str {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        recent.push_back(request.to_owned());
        &self.user
    }
}

/// The sessions that are alive.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Alive>);

#[derive(Debug, Default)]
struct Alive {
    by_user: HashMap<String, Arc<Session>>,
    oldest_first: VecDeque<String>,
}

impl Sessions {
    /// Returns the session of a user; if it is new, the oldest of too many ends.
    pub(crate) fn of(&self, user: &str) -> Arc<Session> {
        let mut alive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = alive.by_user.get(user) {
            return session.clone();
        }
        if alive.by_user.len() == MOST {
            let oldest = alive.oldest_first.pop_front();
            oldest.and_then(|oldest| alive.by_user.remove(&oldest));
        }
        let session = Arc::new(Session::new(user));
        alive.by_user.insert(user.to_owned(), session.clone());
        alive.oldest_first.push_back(user.to_owned());
        session
    }

    /// Returns the number of sessions.
    pub(crate) fn len(&self) -> usize {
        let alive = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        alive.by_user.len()
    }
}
