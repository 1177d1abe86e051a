//! The public API of each published crate as a list, kept in `docs/api`, so that a change of the API shows in review.
//!
//! The list is made from the source, so it needs no particular compiler. What a macro makes is not in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use quote::{ToTokens, quote};
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, Visibility};

use crate::{
    Result,
    features::{list, metadata, text},
    run::root,
    source::{self, Crate, Found, ModulePath, conditions, is_hidden, is_public},
};

pub fn write() -> Result {
    fs::create_dir_all(root().join("docs/api"))?;
    for (file, text) in lists()? {
        fs::write(file, text)?;
    }
    Ok(())
}

pub fn check() -> Result {
    let mut problems = Vec::new();
    for (file, now) in lists()? {
        let kept = fs::read_to_string(&file).unwrap_or_default();
        let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (kept.lines().collect(), now.lines().collect());
        problems.extend(old.difference(&new).map(|line| format!("- {line}")));
        problems.extend(new.difference(&old).map(|line| format!("+ {line}")));
    }
    if problems.is_empty() {
        println!("the public API is that of docs/api");
        return Ok(());
    }
    Err(format!("{}\nthe public API has changed; to take the change: cargo xtask api", problems.join("\n"))
        .into())
}

fn lists() -> Result<BTreeMap<PathBuf, String>> {
    let metadata = metadata("--no-deps")?;
    let mut lists = BTreeMap::new();
    for package in self::list(&metadata, "packages").filter(|package| package["publish"].is_null()) {
        let target = self::list(package, "targets")
            .find(|target| target["kind"][0] == "lib" || target["kind"][0] == "proc-macro");
        let target = target.ok_or_else(|| format!("{} has no library", text(package, "name")))?;
        let source = Crate::read(Path::new(text(target, "src_path")))?;
        let list = Api::of(text(target, "name"), &source);
        lists.insert(root().join("docs/api").join(format!("{}.txt", text(package, "name"))), list);
    }
    Ok(lists)
}

struct Api<'a> {
    source: &'a Crate,
    /// Where the public finds each item and module first.
    public: BTreeMap<Found, String>,
    lines: BTreeSet<String>,
}

impl<'a> Api<'a> {
    fn of(name: &str, source: &'a Crate) -> String {
        let mut api = Api { source, public: BTreeMap::new(), lines: BTreeSet::new() };
        api.add_module(&ModulePath::new(), name, "");
        for (path, module) in &source.modules {
            for item in &module.items {
                match item {
                    Item::Impl(item) if !is_hidden(&item.attrs) => api.add_impl(path, item),
                    // An exported macro is at the root, wherever it is written.
                    Item::Macro(item) if has(&item.attrs, "macro_export") && !is_hidden(&item.attrs) => {
                        let macro_name = item.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                        api.line(&condition(&item.attrs), &format!("{name}::{macro_name}!"), "macro");
                    }
                    _ => {}
                }
            }
        }
        api.lines.into_iter().map(|line| line + "\n").collect()
    }

    /// The path comes first, so that a list in alphabetical order keeps together what belongs together.
    fn line(&mut self, condition: &str, path: &str, declaration: &str) {
        self.lines.insert(format!("{path}: {declaration}{condition}"));
    }

    fn add_module(&mut self, module: &ModulePath, public: &str, inherited: &str) {
        let here = &self.source.modules[module];
        let inherited = format!("{inherited}{}", condition(&here.attributes));
        self.public.entry(Found::Module(module.clone())).or_insert_with(|| public.to_owned());
        self.line(&inherited, public, "mod");
        for item in &here.items {
            self.add_item(module, item, public, &inherited);
        }
        let child = |path: &&ModulePath| path.len() == module.len() + 1 && path.starts_with(module);
        for path in self.source.modules.keys().filter(child) {
            if self.source.modules[path].is_public {
                self.add_module(path, &format!("{public}::{}", path[module.len()]), &inherited);
            }
        }
        for import in here.uses.iter().filter(|import| import.is_public) {
            let inherited = format!("{inherited}{}", condition(&import.attributes));
            self.add_use(module, import, public, &inherited);
        }
    }

    fn add_use(&mut self, module: &ModulePath, import: &source::Use, public: &str, inherited: &str) {
        let name = format!("{public}::{}", import.name);
        match (self.source.resolve(module, &import.path), import.is_glob) {
            (Some(Found::Module(from)), true) => {
                let from_here = &self.source.modules[&from];
                for item in &from_here.items {
                    self.add_item(&from, item, public, inherited);
                }
                for import in from_here.uses.iter().filter(|import| import.is_public) {
                    self.add_use(&from, import, public, inherited);
                }
            }
            (Some(Found::Module(from)), false) => self.add_module(&from, &name, inherited),
            (Some(Found::Item(from, item)), _) => {
                let items = &self.source.modules[&from].items;
                let found: Vec<&Item> =
                    items.iter().filter(|of| source::name(of).is_some_and(|of| *of == item)).collect();
                for of in found {
                    self.add_named(&from, of, &name, inherited);
                }
            }
            (None, true) => self.line(inherited, public, &format!("use {}::*", import.path.join("::"))),
            (None, false) => self.line(inherited, &name, &format!("use {}", import.path.join("::"))),
        }
    }

    fn add_item(&mut self, module: &ModulePath, item: &Item, public: &str, inherited: &str) {
        if let Some(name) = source::name(item)
            && visibility(item).is_some_and(is_public)
        {
            self.add_named(module, item, &format!("{public}::{name}"), inherited);
        }
    }

    fn add_named(&mut self, module: &ModulePath, item: &Item, public: &str, inherited: &str) {
        let attributes = source::attributes(item);
        if is_hidden(attributes) {
            return;
        }
        let name = source::name(item).map(ToString::to_string).unwrap_or_default();
        let found = Found::Item(module.clone(), name);
        let first = self.public.entry(found).or_insert_with(|| public.to_owned()).clone();
        let condition = format!("{inherited}{}", condition(attributes));
        if first != public {
            self.line(&condition, public, &format!("use {first}"));
            return;
        }
        match item {
            Item::Const(item) => self.line(&condition, public, &format!("const {}", tidy(&item.ty))),
            Item::Static(item) => self.line(&condition, public, &format!("static {}", tidy(&item.ty))),
            Item::Fn(item) => self.add_fn(item, public, &condition),
            Item::Type(item) => {
                let (generics, ty) = (&item.generics, &item.ty);
                self.line(&condition, public, &tidy(&quote!(type #generics = #ty)));
            }
            Item::Struct(item) => {
                let (generics, limits) = (&item.generics, &item.generics.where_clause);
                let made = format!("{}{}", derived(&item.attrs), tidy(&quote!(struct #generics #limits)));
                self.line(&condition, public, &made);
                self.add_fields(&item.fields, public, &condition, false);
            }
            Item::Enum(item) => {
                let (generics, limits) = (&item.generics, &item.generics.where_clause);
                let made = format!("{}{}", derived(&item.attrs), tidy(&quote!(enum #generics #limits)));
                self.line(&condition, public, &made);
                for variant in item.variants.iter().filter(|variant| !is_hidden(&variant.attrs)) {
                    let path = format!("{public}::{}", variant.ident);
                    self.line(&condition, &path, &format!("{}variant", derived(&variant.attrs)));
                    self.add_fields(&variant.fields, &path, &condition, true);
                }
            }
            Item::Trait(item) => {
                let (generics, limits, above) =
                    (&item.generics, &item.generics.where_clause, &item.supertraits);
                let colon = (!above.is_empty()).then(|| quote!(:));
                self.line(&condition, public, &tidy(&quote!(trait #generics #colon #above #limits)));
                item.items.iter().for_each(|item| self.add_trait_item(item, public, &condition));
            }
            _ => {}
        }
    }

    /// The macros of a crate for macros are functions, which are called otherwise.
    fn add_fn(&mut self, item: &syn::ItemFn, public: &str, condition: &str) {
        let derive = item.attrs.iter().find(|attribute| attribute.path().is_ident("proc_macro_derive"));
        match derive.and_then(|derive| derive.meta.require_list().ok()) {
            Some(derive) => self.line(condition, public, &format!("derive {}", tidy(&derive.tokens))),
            None if has(&item.attrs, "proc_macro_attribute") => self.line(condition, public, "attribute"),
            None if has(&item.attrs, "proc_macro") => self.line(condition, public, "macro"),
            None => self.line(condition, public, &tidy(&item.sig)),
        }
    }

    fn add_fields(&mut self, fields: &Fields, public: &str, condition: &str, all: bool) {
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| all || is_public(&field.vis)) {
            let name = field.ident.as_ref().map_or_else(|| index.to_string(), ToString::to_string);
            self.line(condition, &format!("{public}.{name}"), &tidy(&field.ty));
        }
    }

    fn add_trait_item(&mut self, item: &TraitItem, public: &str, inherited: &str) {
        let (attributes, name, declaration) = match item {
            TraitItem::Fn(item) => {
                let provided = if item.default.is_some() { "provided " } else { "" };
                (&item.attrs, &item.sig.ident, format!("{provided}{}", tidy(&item.sig)))
            }
            TraitItem::Type(item) => (&item.attrs, &item.ident, tidy(&TraitItem::Type(item.clone()))),
            TraitItem::Const(item) => (&item.attrs, &item.ident, format!("const {}", tidy(&item.ty))),
            _ => return,
        };
        if !is_hidden(attributes) {
            let condition = format!("{inherited}{}", condition(attributes));
            self.line(&condition, &format!("{public}::{name}"), &declaration);
        }
    }

    fn add_impl(&mut self, module: &ModulePath, item: &ItemImpl) {
        let find = |path: &syn::Path| {
            let segments: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.source.resolve(module, &segments)
        };
        let ty = match &*item.self_ty {
            syn::Type::Path(path) => find(&path.path),
            _ => None,
        };
        // Of something else than a type of this crate, or of a type of it that is not public, or that is.
        let public = ty.as_ref().map(|found| self.public.get(found).cloned());
        let conditions = condition(&self.source.modules[module].attributes) + &condition(&item.attrs);
        let Some((of, _)) = &item.trait_ else {
            if let Some(Some(public)) = public {
                item.items.iter().for_each(|item| self.add_impl_item(item, &public, &conditions));
            }
            return;
        };
        let of_ours = find(of).map(|found| self.public.get(&found).cloned());
        // A trait that nobody outside can name says nothing to them.
        let path = match (public, of_ours) {
            (_, Some(None)) | (Some(None), _) | (None, None) => return,
            (Some(Some(public)), _) | (None, Some(Some(public))) => public,
        };
        let (generics, limits, ty) = (&item.generics, &item.generics.where_clause, &item.self_ty);
        self.line(&conditions, &path, &tidy(&quote!(impl #generics #of for #ty #limits)));
    }

    fn add_impl_item(&mut self, item: &ImplItem, public: &str, inherited: &str) {
        let (attributes, visibility, name, declaration) = match item {
            ImplItem::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident, tidy(&item.sig)),
            ImplItem::Const(item) => {
                (&item.attrs, &item.vis, &item.ident, format!("const {}", tidy(&item.ty)))
            }
            _ => return,
        };
        if is_public(visibility) && !is_hidden(attributes) {
            let condition = format!("{inherited}{}", condition(attributes));
            self.line(&condition, &format!("{public}::{name}"), &declaration);
        }
    }
}

fn visibility(item: &Item) -> Option<&Visibility> {
    match item {
        Item::Const(item) => Some(&item.vis),
        Item::Enum(item) => Some(&item.vis),
        Item::Fn(item) => Some(&item.vis),
        Item::Static(item) => Some(&item.vis),
        Item::Struct(item) => Some(&item.vis),
        Item::Trait(item) => Some(&item.vis),
        Item::Type(item) => Some(&item.vis),
        _ => None,
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// `#[derive(Debug)] #[non_exhaustive] `, which users can rely on.
fn derived(attributes: &[Attribute]) -> String {
    let seen = attributes.iter().filter(|attribute| {
        ["derive", "non_exhaustive", "must_use"].iter().any(|name| attribute.path().is_ident(name))
    });
    seen.fold(String::new(), |text, attribute| text + "#[" + &tidy(&attribute.meta) + "] ")
}

fn condition(attributes: &[Attribute]) -> String {
    conditions(attributes).iter().fold(String::new(), |text, condition| text + " [" + condition + "]")
}

/// What to replace in tokens that are separated by spaces, in this order.
#[rustfmt::skip]
const SPACING: &[(&str, &str)] = &[
    (" :: ", "::"), (":: ", "::"), (" < ", "<"), ("< ", "<"), (" >", ">"), (" ,", ","), (",>", ">"), (",)", ")"), ("& ", "&"),
    (" (", "("), ("( ", "("), (" )", ")"), (" :", ":"), (" ;", ";"), ("[ ", "["), (" ]", "]"), ("? ", "?"), ("-><", "-> <"),
    ("->(", "-> ("), ("->&", "-> &"), (",(", ", ("), ("+(", "+ ("), ("=(", "= ("), ("=<", "= <"), (":(", ": ("), (" for(", " for ("),
];

/// Tokens as they are usually written, on one line.
fn tidy(tokens: &impl ToTokens) -> String {
    let tokens = tokens.to_token_stream().to_string();
    let text = tokens.split_whitespace().collect::<Vec<_>>().join(" ");
    SPACING.iter().fold(text, |text, (from, to)| text.replace(from, to))
}
