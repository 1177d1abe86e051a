//! The modules of a crate as its source says, and what their names lead to. Tests are left out, and so is what macros make.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

use crate::Result;

/// `["backends", "memory"]`; the root of the crate is empty.
pub type ModulePath = Vec<String>;

pub struct Module {
    pub file: PathBuf,
    pub items: Vec<Item>,
    pub uses: Vec<Use>,
    /// Whether the declaration is `pub`, and shown in the documentation.
    pub is_public: bool,
    pub attributes: Vec<Attribute>,
}

/// One name that a `use` brings into a module.
pub struct Use {
    pub name: String,
    pub path: Vec<String>,
    pub is_glob: bool,
    pub is_public: bool,
    pub attributes: Vec<Attribute>,
}

pub struct Crate {
    pub modules: BTreeMap<ModulePath, Module>,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    Module(ModulePath),
    /// The module that defines it, and its name there.
    Item(ModulePath, String),
}

impl Found {
    pub fn module(&self) -> &ModulePath {
        match self {
            Self::Module(module) | Self::Item(module, _) => module,
        }
    }
}

impl Crate {
    pub fn read(lib: &Path) -> Result<Self> {
        let mut read = Self { modules: BTreeMap::new() };
        let directory = lib.parent().unwrap_or(lib);
        let root = Module { is_public: true, ..Module::empty(lib) };
        read.modules.insert(ModulePath::new(), root);
        read.read_file(&ModulePath::new(), lib, directory)?;
        Ok(read)
    }

    /// `directory` is where the files of its own modules are.
    fn read_file(&mut self, path: &ModulePath, file: &Path, directory: &Path) -> Result {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.add(path, parsed.items, file, directory)
    }

    fn add(&mut self, path: &ModulePath, items: Vec<Item>, file: &Path, directory: &Path) -> Result {
        for item in items {
            if is_for_tests(attributes(&item)) {
                continue;
            }
            if let Item::Mod(module) = item {
                self.add_module(path, module, file, directory)?;
                continue;
            }
            let module = self.modules.get_mut(path).expect("a module is inserted before its items");
            if let Item::Use(item) = &item {
                module.uses.extend(imports(item));
            }
            module.items.push(item);
        }
        Ok(())
    }

    fn add_module(&mut self, parent: &ModulePath, item: ItemMod, file: &Path, directory: &Path) -> Result {
        let name = item.ident.to_string();
        let path = [parent.as_slice(), std::slice::from_ref(&name)].concat();
        let own = directory.join(&name);
        let (flat, nested) = (directory.join(format!("{name}.rs")), own.join("mod.rs"));
        let source = match (&item.content, flat.is_file()) {
            (Some(_), _) => file.to_owned(),
            (None, true) => flat,
            (None, false) => nested,
        };
        // Two modules of one name exclude each other by `cfg`: both count.
        let module = self.modules.entry(path.clone()).or_insert_with(|| Module::empty(&source));
        module.is_public |= is_public(&item.vis) && !is_hidden(&item.attrs);
        module.attributes.extend(item.attrs);
        match item.content {
            Some((_, items)) => self.add(&path, items, &source, &own),
            None => self.read_file(&path, &source, &own),
        }
    }

    /// What the path leads to, if that is in this crate.
    pub fn resolve(&self, module: &ModulePath, path: &[String]) -> Option<Found> {
        self.follow(module, path, 0)
    }

    fn follow(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<Found> {
        // Names that are imported in a circle lead nowhere.
        if depth > 16 {
            return None;
        }
        let mut segments = path.iter();
        let mut found = match segments.next()?.as_str() {
            "crate" => Found::Module(ModulePath::new()),
            "self" => Found::Module(module.clone()),
            "super" => Found::Module(module.split_last()?.1.to_vec()),
            name => self.look_up(module, name, depth)?,
        };
        for segment in segments {
            found = match found {
                Found::Module(module) if segment == "super" => Found::Module(module.split_last()?.1.to_vec()),
                Found::Module(module) => self.look_up(&module, segment, depth)?,
                // A variant or an associated item belongs to its type.
                item @ Found::Item(..) => return Some(item),
            };
        }
        Some(found)
    }

    fn look_up(&self, module: &ModulePath, name: &str, depth: usize) -> Option<Found> {
        let child = [module.as_slice(), &[name.to_owned()]].concat();
        if self.modules.contains_key(&child) {
            return Some(Found::Module(child));
        }
        let here = self.modules.get(module)?;
        if here.items.iter().any(|item| self::name(item).is_some_and(|item| item == name)) {
            return Some(Found::Item(module.clone(), name.to_owned()));
        }
        let mut named = here.uses.iter().filter(|import| !import.is_glob && import.name == name);
        let by_name = named.find_map(|import| self.follow(module, &import.path, depth + 1));
        by_name.or_else(|| {
            let globs = here.uses.iter().filter(|import| import.is_glob);
            let mut modules = globs.filter_map(|import| self.follow(module, &import.path, depth + 1));
            modules.find_map(|found| match found {
                Found::Module(from) if from != *module => self.look_up(&from, name, depth + 1),
                _ => None,
            })
        })
    }
}

impl Module {
    fn empty(file: &Path) -> Self {
        let (items, uses, attributes) = (Vec::new(), Vec::new(), Vec::new());
        Self { file: file.to_owned(), items, uses, is_public: false, attributes }
    }
}

pub fn imports(item: &syn::ItemUse) -> Vec<Use> {
    let mut uses = Vec::new();
    flatten(item, &item.tree, &mut Vec::new(), &mut uses);
    uses
}

fn flatten(item: &syn::ItemUse, tree: &UseTree, path: &mut Vec<String>, uses: &mut Vec<Use>) {
    let mut found = |name: String, path: Vec<String>, is_glob| {
        let (is_public, attributes) = (is_public(&item.vis) && !is_hidden(&item.attrs), item.attrs.clone());
        uses.push(Use { name, path, is_glob, is_public, attributes });
    };
    match tree {
        UseTree::Path(of) => {
            path.push(of.ident.to_string());
            flatten(item, &of.tree, path, uses);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(item, tree, path, uses)),
        UseTree::Glob(_) => found(String::new(), path.clone(), true),
        UseTree::Name(name) if name.ident == "self" => {
            found(path.last().cloned().unwrap_or_default(), path.clone(), false);
        }
        UseTree::Name(name) => {
            let name = name.ident.to_string();
            found(name.clone(), [path.as_slice(), &[name]].concat(), false);
        }
        UseTree::Rename(name) if name.ident == "self" => found(name.rename.to_string(), path.clone(), false),
        UseTree::Rename(name) => {
            found(name.rename.to_string(), [path.as_slice(), &[name.ident.to_string()]].concat(), false);
        }
    }
}

pub fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

pub fn is_hidden(attributes: &[Attribute]) -> bool {
    // A documentation that contains the word is `doc = "…"`.
    let says = |attribute: &Attribute| Some(attribute.meta.require_list().ok()?.tokens.to_string());
    let docs = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    docs.filter_map(says).any(|said| said.split(',').any(|word| word.trim() == "hidden"))
}

/// The conditions of an item, as they are written: `feature = "axum"`.
pub fn conditions(attributes: &[Attribute]) -> Vec<String> {
    let conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.filter_map(|cfg| Some(cfg.meta.require_list().ok()?.tokens.to_string())).collect()
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    let alone = ["test", "doctest"];
    attributes.iter().any(|attribute| attribute.path().is_ident("test"))
        || conditions(attributes)
            .iter()
            .any(|condition| alone.contains(&condition.as_str()) || condition.starts_with("all (test"))
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

pub fn name(item: &Item) -> Option<&syn::Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        _ => None,
    }
}
