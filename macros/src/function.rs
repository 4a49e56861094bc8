//! The user's function, taken apart into an outer function, an inner function and the call of that.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned, ToTokens};
use syn::parse::ParseStream;
use syn::{Attribute, GenericParam, Lifetime, ReturnType, Signature, Token, Type, Visibility};

use crate::parameter::Parameter;

/// The function that an attribute is on.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    visibility: Visibility,
    /// Without the parameters.
    signature: Signature,
    pub(crate) parameters: Vec<Parameter>,
    /// Not parsed: rustc reports its errors, and accepts syntax that syn does not know.
    body: Group,
}

impl Function {
    /// Parses the item below the attribute of this name.
    pub(crate) fn parse(input: ParseStream<'_>, attribute: &str) -> syn::Result<Self> {
        let not_a_test = |span| {
            let message = format!("`#[{attribute}]` goes on a test: a function with a body");
            syn::Error::new(span, message)
        };
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        // `fn`, `async fn` or `extern "C" fn`.
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

    /// Notes which parameters the options use, given the names in these.
    pub(crate) fn note_options(&mut self, names: &HashSet<String>) {
        for parameter in &mut self.parameters {
            let name = parameter.name().map(ToString::to_string);
            parameter.is_in_options = name.is_some_and(|name| names.contains(&name));
        }
    }

    pub(crate) fn name(&self) -> &Ident {
        &self.signature.ident
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    pub(crate) fn returns_unit(&self) -> bool {
        match &self.signature.output {
            ReturnType::Default => true,
            ReturnType::Type(_, ty) => {
                matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
            }
        }
    }

    /// The outer function, which replaces the user's: it has the parameters for which `keep` holds,
    /// and `body`.
    pub(crate) fn outer(&self, keep: impl Fn(usize, &Parameter) -> bool, body: &TokenStream) -> TokenStream {
        let Self {
            attributes,
            visibility,
            signature,
            ..
        } = self;
        let Signature {
            asyncness,
            safety,
            abi,
            fn_token,
            ident,
            generics,
            output,
            ..
        } = signature;
        let parameters: Vec<_> = (self.parameters.iter().enumerate())
            .filter(|(index, parameter)| keep(*index, parameter))
            .map(|(_, parameter)| parameter.outer_declaration())
            .collect();
        let params = self.outer_generics(&parameters);
        let params = (!params.is_empty()).then(|| quote!(<#(#params),*>));
        let where_clause = &generics.where_clause;
        quote! {
            #(#attributes)*
            #visibility #asyncness #safety #abi #fn_token #ident #params
            (#(#parameters),*) #output #where_clause {
                #body
            }
        }
    }

    /// The generic parameters without the lifetimes that only the daemons' parameters use: rustc
    /// would report them as unused.
    fn outer_generics(&self, parameters: &[TokenStream]) -> Vec<&GenericParam> {
        let Signature { generics, output, .. } = &self.signature;
        let where_clause = &generics.where_clause;
        let is_used = |lifetime: &Lifetime, param: &GenericParam| {
            let others = (generics.params.iter()).filter(|other| !std::ptr::eq(*other, param));
            let rest = quote!(#(#parameters)* #output #where_clause #(#others)*);
            contains_lifetime(rest, lifetime)
        };
        (generics.params.iter())
            .filter(|param| match param {
                GenericParam::Lifetime(declared) => is_used(&declared.lifetime, param),
                _ => true,
            })
            .collect()
    }

    /// The inner function: the user's, to be placed inside of the outer one. With the module whose
    /// functions the expansion calls, it notes what it returns.
    pub(crate) fn inner(&self, support: Option<&TokenStream>) -> TokenStream {
        let Signature {
            constness,
            asyncness,
            safety,
            abi,
            fn_token,
            ident,
            generics,
            paren_token,
            output,
            ..
        } = &self.signature;
        let is_awt = |attribute: &Attribute| attribute.path().is_ident("awt");
        let awaited = self.attributes.iter().any(is_awt);
        let mut lifetimes = Vec::new();
        let parameters: Vec<_> = (self.parameters.iter())
            .map(|parameter| parameter.inner_declaration(awaited, &mut lifetimes))
            .collect();
        let mut declarations = TokenStream::new();
        paren_token.surround(&mut declarations, |tokens| tokens.extend(quote!(#(#parameters),*)));
        let (params, where_clause) = (&generics.params, &generics.where_clause);
        let params = (!params.is_empty() || !lifetimes.is_empty()).then(|| quote!(<#(#lifetimes,)* #params>));
        let body = support.and_then(|support| self.noting_body(support));
        let body = body.unwrap_or_else(|| self.body.to_token_stream());
        quote! {
            #constness #asyncness #safety #abi #fn_token #ident #params
            #declarations #output #where_clause #body
        }
    }

    /// The body, which also notes what the function returns before its parameters are dropped;
    /// `None` for one that returns nothing, or what can't be named.
    fn noting_body(&self, support: &TokenStream) -> Option<TokenStream> {
        let ReturnType::Type(_, output) = &self.signature.output else {
            return None;
        };
        if self.returns_unit() || matches!(**output, Type::Never(_)) || mentions(output.to_token_stream(), "impl") {
            return None;
        }
        let (site, body) = (Span::mixed_site(), &self.body);
        let returned = match self.is_async() {
            // Of a block of this kind, rustc takes the type from what returns first.
            true => quote_spanned! {site=>
                async {
                    match ::core::option::Option::<#output>::None {
                        ::core::option::Option::Some(typed) => return typed,
                        ::core::option::Option::None => {}
                    }
                    #body
                }.await
            },
            false => quote_spanned!(site=> #support::call(|| -> #output #body)),
        };
        Some(quote_spanned! {site=>
            {
                #[allow(unused_imports)]
                use #support::NoteNothing as _;
                let returned: #output = #returned;
                #support::Returned(&returned).note();
                returned
            }
        })
    }

    /// The call of the inner function.
    pub(crate) fn call(&self, arguments: &[TokenStream]) -> TokenStream {
        let (name, span) = (self.name(), Span::mixed_site());
        // Types and constants that no parameter mentions can't be inferred; lifetimes always can.
        let generics: Vec<_> = (self.signature.generics.params.iter())
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(&param.ident),
                GenericParam::Const(param) => Some(&param.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        let turbofish = (!generics.is_empty()).then(|| quote_spanned!(span=> ::<#(#generics),*>));
        let dot_await = self.is_async().then(|| quote_spanned!(span=> .await));
        quote_spanned!(span=> #name #turbofish (#(#arguments),*) #dot_await)
    }
}

/// Whether the word is anywhere in the code.
fn mentions(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(group.stream(), word),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn contains_lifetime(tokens: TokenStream, lifetime: &Lifetime) -> bool {
    let mut after_apostrophe = false;
    tokens.into_iter().any(|token| {
        let is_lifetime = std::mem::take(&mut after_apostrophe);
        match token {
            TokenTree::Punct(punct) => after_apostrophe = punct.as_char() == '\'',
            TokenTree::Ident(ident) => return is_lifetime && ident == lifetime.ident,
            TokenTree::Group(group) => return contains_lifetime(group.stream(), lifetime),
            TokenTree::Literal(_) => {}
        }
        false
    })
}
