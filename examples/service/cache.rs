//! Pages that were rendered once.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use hyper::body::Bytes;

/// Rendered pages by what was requested.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pages: Mutex<HashMap<String, Bytes>>,
}

impl Cache {
    /// Returns the page for a request, which `render` makes if it is not there.
    ///
    /// This is the leak: the key contains the session, so a page is kept for each pair of both, and nothing evicts it.
    pub(crate) fn page(&self, request: &str, render: impl FnOnce() -> Bytes) -> Bytes {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(request) {
            return page.clone();
        }
        let page = render();
        pages.insert(request.to_owned(), page.clone());
        page
    }

    /// Returns the number of pages.
    pub(crate) fn len(&self) -> usize {
        self.pages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// Renders a page: a list of 20 to 79 lines.
pub(crate) fn render(path: &str) -> Bytes {
    let mut text = format!("<h1>{path}</h1>\n<ul>\n");
    let lines = 20 + path.bytes().map(usize::from).sum::<usize>() % 60;
    for line in 0..lines {
        writeln!(text, "<li>{path}, line {line}</li>").expect("text takes all");
    }
    text.push_str("</ul>\n");
    Bytes::from(text.into_bytes())
}
