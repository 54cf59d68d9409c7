#!/usr/bin/env python3
"""A mail server for tests, independent of the gateway's code: aiosmtpd, and Python's email package to read what it was given.

    smtp_server.py [--port N] [--tls PEM] [--implicit] [--user NAME --password WORD] [--no-utf8] [--no-login]
                   [--behaviour JSON]

Listens on 127.0.0.1, prints two ports as one line on standard output, of SMTP and of its HTTP control, and ends when standard input
closes. With --tls it offers STARTTLS and takes no mail before it; with --implicit it speaks TLS from the first byte. With --user a login is needed.

The behaviour is a JSON object, given at the start and changed by POST to the control, which merges its body into it (null: back to its
default):

    sender, recipient, data, content    an answer such as "550 5.1.1 no such user", to MAIL, RCPT, DATA, or to the end of the mail
    only         the address that "recipient" and "content" are about; null: every address
    times        how often an answer is given; null: for ever
    delay_ms     wait before the answer to the end of the mail
    lose_answers this many mails are taken and the connection is cut before the answer
    cut_every    cut the connection after so many mails

GET to the control gives {"behaviour", "counts", "mails"}; a mail has the envelope and what the email package reads of it.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl
import sys
import threading
from email.header import decode_header, make_header
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

DEFAULTS = {
    "sender": None, "recipient": None, "data": None, "content": None, "only": None, "times": None, "delay_ms": 0, "lose_answers": 0,
    "cut_every": None,
}


class State:
    def __init__(self, behaviour):
        self.lock = threading.Lock()
        self.behaviour = {**DEFAULTS, **behaviour}
        self.counts = {"connections": 0, "logins": 0, "mails": 0, "encrypted": 0}
        self.mails = []

    def answer(self, name, address=None):
        with self.lock:
            given = self.behaviour[name]
            if not given or (self.behaviour["only"] and address != self.behaviour["only"]):
                return None
            if self.behaviour["times"] is not None:
                self.behaviour["times"] -= 1
                if self.behaviour["times"] < 0:
                    return None
            return given


def read(content):
    """What a reader of mails sees."""
    # As text, because headers of RFC 6532 are UTF-8.
    message = email.message_from_string(content.decode(), policy=email.policy.default)
    headers = {name.lower(): str(value) for name, value in message.items()}
    sender, recipients = message["From"].addresses[0], message["To"].addresses
    legacy = email.message_from_string(content.decode())

    def name(header):
        # The newer parser leaves blanks between the encoded words of one name, against RFC 2047 section 6.2.
        return str(make_header(decode_header(parseaddr(legacy[header])[0])))

    return {
        "headers": headers, "names": [name.lower() for name in message.keys()], "subject": str(message["Subject"]),
        "from": {"name": name("From"), "address": sender.addr_spec},
        "to": [{"name": name("To"), "address": to.addr_spec} for to in recipients],
        "date": message["Date"].datetime.isoformat(), "type": message.get_content_type(), "charset": message.get_content_charset(),
        "body": message.get_content().replace("\r\n", "\n"), "defects": [repr(defect) for part in message.walk() for defect in part.defects]
        + [repr(defect) for value in message.values() for defect in getattr(value, "defects", [])],
        "longest_line": max(len(line) for line in content.split(b"\r\n")),
        "bare": content.replace(b"\r\n", b"").count(b"\r") + content.replace(b"\r\n", b"").count(b"\n"),
        "ascii": all(byte < 0x80 for byte in content),
    }


class Handler:
    def __init__(self, state):
        self.state = state

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        if answer := self.state.answer("sender"):
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.state.answer("recipient", address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        state = self.state
        if delay := state.behaviour["delay_ms"]:
            await asyncio.sleep(delay / 1000)
        if answer := state.answer("content", envelope.rcpt_tos[0]):
            return answer
        mail = {"sender": envelope.mail_from, "recipients": envelope.rcpt_tos, "options": envelope.mail_options, **read(envelope.content)}
        with state.lock:
            state.mails.append(mail)
            state.counts["mails"] += 1
            state.counts["encrypted"] += server.transport.get_extra_info("ssl_object") is not None
            loses = state.behaviour["lose_answers"] > 0
            if loses:
                state.behaviour["lose_answers"] -= 1
            every = state.behaviour["cut_every"]
            cuts = every and state.counts["mails"] % every == 0
        if loses:
            server.transport.abort()
            return "250 nobody hears this"
        if cuts:
            asyncio.get_running_loop().call_later(0.02, server.transport.abort)
        return "250 OK"


class Server(SMTP):
    """What aiosmtpd has no hook for."""

    state = None

    def connection_made(self, transport):
        super().connection_made(transport)
        with self.state.lock:
            self.state.counts["connections"] += 1

    async def smtp_DATA(self, arg):
        if self.envelope.rcpt_tos and (answer := self.state.answer("data")):
            await self.push(answer)
            return
        await super().smtp_DATA(arg)


def make_control(state):
    class Control(BaseHTTPRequestHandler):
        def send(self, body):
            data = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogateescape")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self):
            with state.lock:
                self.send({"behaviour": state.behaviour, "counts": state.counts, "mails": state.mails})

        def do_POST(self):
            changes = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.behaviour.update({name: DEFAULTS[name] if value is None else value for name, value in changes.items()})
            self.send({})

        def log_message(self, *arguments):
            pass

    return Control


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--no-utf8", action="store_true")
    parser.add_argument("--no-login", action="store_true")
    parser.add_argument("--behaviour", default="{}")
    options = parser.parse_args()
    state = State(json.loads(options.behaviour))
    Server.state = state
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)

    def authenticate(server, session, envelope, mechanism, data):
        good = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == (options.user, options.password)
        with state.lock:
            state.counts["logins"] += good
        return AuthResult(success=good, handled=False)

    def make():
        starts_tls = context is not None and not options.implicit
        return Server(
            Handler(state), enable_SMTPUTF8=not options.no_utf8, decode_data=False, hostname="mail.test", timeout=60,
            tls_context=context if starts_tls else None, require_starttls=starts_tls,
            auth_required=options.user is not None, auth_require_tls=True if starts_tls else False,
            authenticator=authenticate if options.user else None,
            auth_exclude_mechanism=["LOGIN", "PLAIN"] if options.no_login else None)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", options.port, ssl=context if options.implicit else None)
    control = ThreadingHTTPServer(("127.0.0.1", 0), make_control(state))
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(server.sockets[0].getsockname()[1], control.server_address[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


asyncio.run(main())
