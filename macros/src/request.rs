//! One `#[with_…]` attribute: the daemon that it requests, and the code that builds it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned, ToTokens};
use syn::spanned::Spanned;
use syn::{Attribute, Meta, Type};

use crate::arguments::{Arguments, BuilderCall};
use crate::errors::Errors;
use crate::types::{last_segment, name_same_handle, segment_text};
use crate::DaemonKind;

/// A request for a daemon.
pub(crate) struct DaemonRequest {
    kind: DaemonKind,
    arguments: Arguments,
    /// The attribute's path as the user wrote it; `None` for the attribute that is being expanded.
    path: Option<TokenStream>,
    /// Where errors about the attribute as a whole point.
    error_tokens: TokenStream,
    /// Where the panic of a failed start points.
    pub(crate) span: Span,
}

impl DaemonRequest {
    /// The attribute that is being expanded. The compiler has already removed it from the function.
    pub(crate) fn expanded(kind: DaemonKind, args: TokenStream, errors: &mut Errors) -> Self {
        let span = Span::call_site();
        let error_tokens = Ident::new(kind.attribute, span).into_token_stream();
        Self {
            kind,
            arguments: Arguments::parse(kind, args, &error_tokens, errors),
            path: None,
            error_tokens,
            span,
        }
    }

    /// Another attribute on the function.
    pub(crate) fn from_attribute(kind: DaemonKind, attribute: &Attribute, errors: &mut Errors) -> Self {
        let error_tokens = attribute.to_token_stream();
        let arguments = match &attribute.meta {
            Meta::Path(_) => Arguments::parse(kind, TokenStream::new(), &error_tokens, errors),
            Meta::List(list) => Arguments::parse(kind, list.tokens.clone(), &error_tokens, errors),
            Meta::NameValue(pair) => {
                let message = format!("options go in parentheses: `#[{}(…)]`", kind.attribute);
                errors.push(syn::Error::new_spanned(pair, message));
                Arguments::default()
            }
        };
        Self {
            kind,
            arguments,
            path: Some(attribute.path().to_token_stream()),
            error_tokens,
            span: attribute.path().span(),
        }
    }

    /// Whether it is for a part of a shared server.
    pub(crate) fn is_part(&self) -> bool {
        self.kind.is_part
    }

    /// An error about the attribute as a whole.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> syn::Error {
        syn::Error::new_spanned(&self.error_tokens, message)
    }

    /// The attribute for an error message: `#[with_redis]`, or `#[with_redis(arg = cache)]`.
    pub(crate) fn example(&self, argument: Option<&str>) -> String {
        let name = self.kind.attribute;
        let type_name = self.custom_handle_name();
        let arguments: Vec<_> = type_name.as_deref().into_iter().chain(argument).collect();
        match arguments.as_slice() {
            [] => format!("#[{name}]"),
            arguments => format!("#[{name}({})]", arguments.join(", ")),
        }
    }

    /// A parameter for an error message, such as `redis: RedisDaemon`.
    pub(crate) fn example_parameter(&self) -> String {
        let name = self.kind.attribute.trim_start_matches("with_");
        let handle = self.handle_name();
        format!("{name}: {}", handle.as_deref().unwrap_or("MyDaemon"))
    }

    /// The name of the parameter to fill, if the user chose one with `arg`.
    pub(crate) fn arg(&self) -> Option<&Ident> {
        self.arguments.arg.as_ref()
    }

    /// What the type of the parameter must end in; `None` if `with_daemon` lacks its type.
    pub(crate) fn handle_name(&self) -> Option<String> {
        (self.kind.handle.map(str::to_owned)).or_else(|| self.custom_handle_name())
    }

    fn custom_handle_name(&self) -> Option<String> {
        let handle_type = self.arguments.handle_type.as_ref()?;
        last_segment(handle_type).map(segment_text)
    }

    /// Whether this type of parameter can hold the daemon's handle.
    pub(crate) fn fits(&self, ty: &Type) -> bool {
        let Some(found) = last_segment(ty) else {
            return false;
        };
        match (self.kind.handle, &self.arguments.handle_type) {
            (Some(handle), _) => found.ident == handle,
            (None, Some(handle)) => last_segment(handle).is_some_and(|handle| name_same_handle(handle, found)),
            (None, None) => false,
        }
    }

    /// A `use` of the attribute's path. Since the attribute is never expanded itself, rustc would
    /// otherwise report its import as unused, and not report a missing import.
    pub(crate) fn use_of_path(&self) -> Option<TokenStream> {
        let path = self.path.as_ref()?;
        Some(quote_spanned! {self.mixed_site()=>
            #[allow(unused_imports)]
            use #path as _;
        })
    }

    /// The path of the module whose functions the expansion calls.
    pub(crate) fn support_module(&self) -> TokenStream {
        let crate_path = self.crate_path();
        // With this span, lints against needlessly long paths don't see it.
        quote_spanned!(self.mixed_site()=> #crate_path::attribute)
    }

    /// The expression that makes the builder and sets its options.
    pub(crate) fn builder(&self) -> TokenStream {
        let (handle, span) = match (self.kind.handle, &self.arguments.handle_type) {
            (Some(handle), _) => {
                let (crate_path, span) = (self.crate_path(), self.mixed_site());
                let handle = Ident::new(handle, span);
                (quote!(#crate_path::#handle), span)
            }
            // With this span, rustc reports a type without `builder` where the user wrote it.
            (None, Some(handle)) => (handle.to_token_stream(), handle.span()),
            (None, None) => (TokenStream::new(), self.mixed_site()),
        };
        let mut builder = quote_spanned!(span=> <#handle>::builder());
        for BuilderCall { method, arguments } in &self.arguments.options {
            let dot = quote_spanned!(method.span()=> .);
            builder = quote!(#builder #dot #method #arguments);
        }
        builder
    }

    /// The values of its options.
    pub(crate) fn option_values(&self) -> impl Iterator<Item = TokenStream> + '_ {
        self.arguments.options.iter().map(|option| option.arguments.stream())
    }

    fn crate_path(&self) -> TokenStream {
        match &self.arguments.crate_path {
            Some(path) => path.to_token_stream(),
            None => quote_spanned!(self.span=> ::managed_daemons),
        }
    }

    fn mixed_site(&self) -> Span {
        Span::mixed_site().located_at(self.span)
    }
}
