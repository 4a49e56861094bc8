//! RabbitMQ: what a client does, and the whole of its life.

mod client;
mod cluster;
mod isolation;
mod killed;
mod lifecycle;
mod messages;
mod options;
mod tools;
mod victim;
mod victims;
