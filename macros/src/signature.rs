//! The function under the attribute: what of it goes outside, and what inside.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned, ToTokens};
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericParam, Lifetime, Pat, PathSegment, ReturnType, Signature, Token, Type, TypeReference,
    Visibility,
};

use crate::attributes::is_lint;

/// A function, its parameters taken apart.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    /// Without its parameters.
    signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    /// As it stands, so that what is unfinished or new in it is rustc's to judge.
    body: Group,
}

/// One parameter of the function.
pub(crate) struct Parameter {
    attributes: Vec<Attribute>,
    pub(crate) pattern: Pat,
    pub(crate) ty: Type,
    /// The name it has outside.
    outer: Ident,
}

impl Function {
    /// Reads the item that the attribute of this name is on.
    pub(crate) fn parse(input: ParseStream<'_>, attribute: &str) -> syn::Result<Self> {
        let not_a_test = |at| {
            let message = format!("`#[{attribute}]` goes on a test: a function with a body");
            syn::Error::new(at, message)
        };
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        // `fn`, `async fn`, `extern "C" fn`.
        if !(input.peek(Token![fn]) || input.peek2(Token![fn]) || input.peek3(Token![fn])) {
            return Err(not_a_test(input.span()));
        }
        let mut signature: Signature = input.parse()?;
        let parameters = std::mem::take(&mut signature.inputs)
            .into_iter()
            .enumerate()
            .map(|(index, input)| Parameter::new(index, input))
            .collect::<syn::Result<_>>()?;
        if !input.peek(syn::token::Brace) {
            return Err(not_a_test(signature.ident.span()));
        }
        Ok(Self {
            attributes,
            visibility,
            signature,
            parameters,
            body: input.parse()?,
        })
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// Whether it returns `()`, as a test that should panic has to.
    pub(crate) fn returns_unit(&self) -> bool {
        match &self.signature.output {
            ReturnType::Default => true,
            ReturnType::Type(_, ty) => {
                matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
            }
        }
    }

    /// The same function with the parameters for which `keep` holds, and another body.
    pub(crate) fn outer(&self, keep: impl Fn(usize, &Parameter) -> bool, body: &TokenStream) -> TokenStream {
        let Self {
            attributes,
            visibility,
            signature,
            ..
        } = self;
        let kept: Vec<_> = (self.parameters.iter().enumerate())
            .filter(|(index, parameter)| keep(*index, parameter))
            .map(|(_, parameter)| parameter.outer_declaration())
            .collect();
        let Signature {
            asyncness,
            unsafety,
            abi,
            fn_token,
            ident,
            generics,
            output,
            ..
        } = signature;
        let where_clause = &generics.where_clause;
        // A lifetime that was for the daemons alone would be reported as unused.
        let uses = |lifetime: &Lifetime, param: &GenericParam| {
            let others = (generics.params.iter()).filter(|other| !std::ptr::eq(*other, param));
            mentions(quote!(#(#kept)* #output #where_clause #(#others)*), lifetime)
        };
        let params: Vec<_> = (generics.params.iter())
            .filter(|param| match param {
                GenericParam::Lifetime(own) => uses(&own.lifetime, param),
                _ => true,
            })
            .collect();
        let generics = (!params.is_empty()).then(|| quote!(<#(#params),*>));
        quote! {
            #(#attributes)*
            #visibility #asyncness #unsafety #abi #fn_token #ident #generics (#(#kept),*) #output #where_clause {
                #body
            }
        }
    }

    /// The user's function as it stands, for use inside of the outer one.
    pub(crate) fn inner(&self) -> TokenStream {
        let Signature {
            constness,
            asyncness,
            unsafety,
            abi,
            fn_token,
            ident,
            generics,
            paren_token,
            output,
            ..
        } = &self.signature;
        let awaited = self.attributes.iter().any(|attribute| attribute.path().is_ident("awt"));
        let mut lifetimes = Vec::new();
        let parameters: Vec<_> = (self.parameters.iter())
            .map(|parameter| parameter.inner_declaration(awaited, &mut lifetimes))
            .collect();
        let mut declarations = TokenStream::new();
        paren_token.surround(&mut declarations, |tokens| tokens.extend(quote!(#(#parameters),*)));
        let (params, where_clause) = (&generics.params, &generics.where_clause);
        let generics = (!params.is_empty() || !lifetimes.is_empty()).then(|| quote!(<#(#lifetimes,)* #params>));
        let body = &self.body;
        quote! {
            #constness #asyncness #unsafety #abi #fn_token #ident #generics #declarations #output #where_clause #body
        }
    }

    /// The call of the inner function.
    pub(crate) fn call(&self, arguments: &[TokenStream]) -> TokenStream {
        let name = self.name();
        // Those that appear in no parameter can't be inferred; lifetimes always are.
        let generics: Vec<_> = (self.signature.generics.params.iter())
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(&param.ident),
                GenericParam::Const(param) => Some(&param.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        let turbofish = (!generics.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> ::<#(#generics),*>));
        let dot_await = self.is_async().then(|| quote_spanned!(Span::mixed_site()=> .await));
        quote_spanned!(Span::mixed_site()=> #name #turbofish (#(#arguments),*) #dot_await)
    }
}

impl Parameter {
    fn new(index: usize, input: FnArg) -> syn::Result<Self> {
        let FnArg::Typed(input) = input else {
            let message = "a test has no `self`: make it a free function";
            return Err(syn::Error::new_spanned(input, message));
        };
        let outer = match &*input.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            pattern => format_ident!("__arg_{index}", span = pattern.span()),
        };
        Ok(Self {
            attributes: input.attrs,
            pattern: *input.pat,
            ty: *input.ty,
            outer,
        })
    }

    /// Its name, unless it is taken apart by a pattern.
    pub(crate) fn name(&self) -> Option<&Ident> {
        matches!(self.pattern, Pat::Ident(_)).then_some(&self.outer)
    }

    /// The name it has on the outer function.
    pub(crate) fn outer_name(&self) -> &Ident {
        &self.outer
    }

    /// The attribute that hands the parameter to another macro, such as `#[case]`.
    pub(crate) fn taken_by(&self) -> Option<&Attribute> {
        (self.attributes.iter()).find(|attribute| !is_lint(attribute) && !is_cfg(attribute))
    }

    /// A `#[cfg]` or `#[cfg_attr]` on the parameter.
    pub(crate) fn cfg(&self) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| is_cfg(attribute))
    }

    /// For the outer function: with the attributes that are other macros' business, and without what is the body's.
    fn outer_declaration(&self) -> TokenStream {
        let Self { outer, ty, .. } = self;
        let attributes = self.attributes.iter().filter(|attribute| !is_lint(attribute));
        quote!(#(#attributes)* #outer: #ty)
    }

    /// For the inner function: as written, without the attributes of other macros.
    ///
    /// `rstest` makes the type `T` of a `#[future]` parameter an `impl Future<Output = T>`, on the outer function, and
    /// takes that back where the attribute also says `awt`. A lifetime that needs a name there goes to `lifetimes`.
    fn inner_declaration(&self, awaited: bool, lifetimes: &mut Vec<Lifetime>) -> TokenStream {
        let Self { pattern, ty, .. } = self;
        let lints = self.attributes.iter().filter(|attribute| is_lint(attribute));
        let future = (self.attributes.iter()).find(|attribute| attribute.path().is_ident("future"));
        let is_future = future.is_some_and(|attribute| {
            !awaited
                && attribute
                    .parse_args::<Ident>()
                    .map_or(true, |argument| argument != "awt")
        });
        if !is_future {
            return quote!(#(#lints)* #pattern: #ty);
        }
        let output = match ty {
            Type::Reference(TypeReference {
                and_token,
                lifetime: None,
                mutability,
                elem,
            }) => {
                let lifetime = Lifetime::new(&format!("'_{}", self.outer), Span::mixed_site());
                let output = quote!(#and_token #lifetime #mutability #elem);
                lifetimes.push(lifetime);
                output
            }
            ty => ty.to_token_stream(),
        };
        quote!(#(#lints)* #pattern: impl ::core::future::Future<Output = #output>)
    }

    /// How a daemon is passed to it: as `daemon`, `&daemon` or `&mut daemon`.
    pub(crate) fn borrow(&self) -> Option<&TypeReference> {
        match peeled(&self.ty) {
            Type::Reference(reference) => Some(reference),
            _ => None,
        }
    }
}

/// The last segment of the path that a type is, or refers to.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peeled(ty) {
        Type::Reference(reference) => match peeled(&reference.elem) {
            Type::Path(ty) => ty.path.segments.last(),
            _ => None,
        },
        Type::Path(ty) => ty.path.segments.last(),
        _ => None,
    }
}

fn mentions(tokens: TokenStream, lifetime: &Lifetime) -> bool {
    let mut after_apostrophe = false;
    tokens.into_iter().any(|token| {
        let is_name = std::mem::take(&mut after_apostrophe);
        match token {
            TokenTree::Punct(punct) => after_apostrophe = punct.as_char() == '\'',
            TokenTree::Ident(ident) => return is_name && ident == lifetime.ident,
            TokenTree::Group(group) => return mentions(group.stream(), lifetime),
            TokenTree::Literal(_) => {}
        }
        false
    })
}

fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// The type without the parentheses, seen or unseen, that a macro may have put around it.
fn peeled(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            ty => return ty,
        };
    }
}
