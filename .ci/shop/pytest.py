"""Stands in for pytest: the suite finds its MySQL where the page's command puts it."""
import os
import socket

assert os.environ["DATABASE_URL"] == "mysql://app:secret@127.0.0.1:3306/shop", os.environ["DATABASE_URL"]
assert (os.environ["MYSQL_HOST"], os.environ["MYSQL_TCP_PORT"], os.environ["MYSQL_PWD"]) == ("127.0.0.1", "3306", "secret")
socket.create_connection(("127.0.0.1", 3306)).close()
