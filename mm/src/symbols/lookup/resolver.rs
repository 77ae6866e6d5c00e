//! Frames of stacks, for one report.

use core::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use memmap2::Mmap;

use super::frame::{Frame, beyond_allocator};
use super::image::Image;
use super::loaded::{Loaded, loaded};
use super::site::site_of;
use super::types::type_of;

/// Addresses whose functions are kept at most, for the stacks that share them.
const MOST_KEPT: usize = 8_192;

/// The modules of the process, and their files as far as they are asked for.
pub(super) struct Files {
    modules: Vec<Module>,
}

struct Module {
    loaded: Loaded,
    file: OnceCell<Option<Mmap>>,
}

/// Looks up stacks. It holds what it read of the files.
pub(super) struct Resolver<'f> {
    modules: &'f [Module],
    /// Of each module.
    images: Vec<OnceCell<Option<Image<'f>>>>,
    frames: HashMap<usize, Rc<[Frame]>>,
}

impl Files {
    /// Lists the modules that are loaded now.
    pub(super) fn new() -> Self {
        let module = |loaded| Module {
            loaded,
            file: OnceCell::new(),
        };
        Self {
            modules: loaded().into_iter().map(module).collect(),
        }
    }

    /// Starts to look up stacks.
    pub(super) fn resolver(&self) -> Resolver<'_> {
        Resolver {
            modules: &self.modules,
            images: self.modules.iter().map(|_| OnceCell::new()).collect(),
            frames: HashMap::new(),
        }
    }
}

impl Resolver<'_> {
    /// Returns the type and the call site of a stack of return addresses, as far as they are known.
    pub(super) fn attribute(&mut self, stack: &[usize]) -> (Option<String>, Option<String>) {
        let frames = self.frames_of(stack);
        let frames: Vec<_> = frames.iter().flat_map(|frames| frames.iter()).collect();
        let frames = beyond_allocator(&frames);
        (type_of(frames), site_of(frames))
    }

    /// Returns the frames of a stack up to its call site.
    fn frames_of(&mut self, stack: &[usize]) -> Vec<Rc<[Frame]>> {
        let mut all = Vec::new();
        for address in stack {
            let frames = self.frames_at(*address);
            let is_last = frames.iter().any(Frame::is_own);
            all.push(frames);
            if is_last {
                break;
            }
        }
        all
    }

    fn frames_at(&mut self, address: usize) -> Rc<[Frame]> {
        if let Some(frames) = self.frames.get(&address) {
            return frames.clone();
        }
        let frames: Rc<[Frame]> = self.look_up(address).into();
        if self.frames.len() == MOST_KEPT {
            self.frames.clear();
        }
        self.frames.insert(address, frames.clone());
        frames
    }

    /// Returns the functions that the call before a return address is in.
    fn look_up(&self, address: usize) -> Vec<Frame> {
        let Some(call) = address.checked_sub(1) else {
            return Vec::new();
        };
        let mut modules = self.modules.iter().zip(&self.images);
        let Some((module, image)) = modules.find(|(module, _)| module.loaded.contains(call)) else {
            return Vec::new();
        };
        let file = module.file.get_or_init(|| module.loaded.map());
        let image = image.get_or_init(|| Image::of(file.as_deref()?));
        match image {
            Some(image) => image.frames(call.wrapping_sub(module.loaded.base) as u64),
            None => Vec::new(),
        }
    }
}
