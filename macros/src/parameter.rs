//! One parameter of the user's function, and its declarations in the expansion.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, ToTokens};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Lifetime, Pat, Type, TypeReference};

use crate::attributes::{is_cfg, is_lint};
use crate::types::as_reference;

/// A parameter of the user's function.
pub(crate) struct Parameter {
    attributes: Vec<Attribute>,
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
    /// Its name on the outer function.
    pub(crate) outer_name: Ident,
    /// Whether an option uses it. The body then need not.
    pub(crate) is_in_options: bool,
}

impl Parameter {
    pub(crate) fn new(index: usize, input: FnArg) -> syn::Result<Self> {
        let FnArg::Typed(input) = input else {
            let message = "a test has no `self`: make it a free function";
            return Err(syn::Error::new_spanned(input, message));
        };
        let outer_name = match &*input.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            pattern => format_ident!("__arg_{index}", span = pattern.span()),
        };
        Ok(Self {
            attributes: input.attrs,
            pattern: *input.pat,
            ty: *input.ty,
            outer_name,
            is_in_options: false,
        })
    }

    /// The name that the user gave it; `None` for a pattern that destructures it.
    pub(crate) fn name(&self) -> Option<&Ident> {
        matches!(self.pattern, Pat::Ident(_)).then_some(&self.outer_name)
    }

    /// The attribute through which another macro fills it, such as `#[case]`.
    pub(crate) fn filling_attribute(&self) -> Option<&Attribute> {
        (self.attributes.iter()).find(|attribute| !is_lint(attribute) && !is_cfg(attribute))
    }

    pub(crate) fn cfg(&self) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| is_cfg(attribute))
    }

    /// The declaration on the outer function: with the attributes of other macros, but without lint
    /// levels and the pattern, which concern the body.
    pub(crate) fn outer_declaration(&self) -> TokenStream {
        let Self { outer_name, ty, .. } = self;
        let attributes = self.attributes.iter().filter(|attribute| !is_lint(attribute));
        quote!(#(#attributes)* #outer_name: #ty)
    }

    /// The declaration on the inner function: as written, without the attributes of other macros.
    ///
    /// On the outer function, `rstest` turns the type `T` of a `#[future]` parameter into
    /// `impl Future<Output = T>`, and the inner function needs the same type. The type stays `T` if
    /// `rstest` also awaits the future: for `#[future(awt)]`, or for `#[awt]` on the function
    /// (`awaited`). A reference `T` needs a named lifetime, which is added to `lifetimes`.
    pub(crate) fn inner_declaration(&self, awaited: bool, lifetimes: &mut Vec<Lifetime>) -> TokenStream {
        let Self { pattern, ty, .. } = self;
        let lints = self.attributes.iter().filter(|attribute| is_lint(attribute));
        let unused = self.is_in_options.then(|| quote!(#[allow(unused_variables)]));
        let lints = quote!(#unused #(#lints)*);
        if awaited || !self.is_future() {
            return quote!(#lints #pattern: #ty);
        }
        let output = match ty {
            Type::Reference(TypeReference {
                and_token,
                lifetime: None,
                mutability,
                elem,
                ..
            }) => {
                let lifetime = Lifetime::new(&format!("'_{}", self.outer_name), Span::mixed_site());
                let output = quote!(#and_token #lifetime #mutability #elem);
                lifetimes.push(lifetime);
                output
            }
            ty => ty.to_token_stream(),
        };
        quote!(#lints #pattern: impl ::core::future::Future<Output = #output>)
    }

    /// Whether it has the `#[future]` of `rstest`, without `awt`.
    fn is_future(&self) -> bool {
        let future = (self.attributes.iter()).find(|attribute| attribute.path().is_ident("future"));
        future.is_some_and(|attribute| {
            let argument = attribute.parse_args::<Ident>();
            argument.map_or(true, |argument| argument != "awt")
        })
    }

    /// Its type, if the daemon is passed as `&daemon` or `&mut daemon`.
    pub(crate) fn borrow(&self) -> Option<&TypeReference> {
        as_reference(&self.ty)
    }
}
