"""What Python's email and mailbox modules read of mails: one line of tab-separated values a message.

usage: mail_values.py FILE...   (an mbox gives a line for each of its messages)
columns: file, subject, sender, recipients joined by a space, seconds since 1970 of Date or "none", sorted SHA-256 of
the attachments (parts with a file name) joined by a space
"""
import email
import email.header
import email.utils
import hashlib
import mailbox
import sys


def decoded(value):
    return " ".join(str(email.header.make_header(email.header.decode_header(str(value or "")))).split())


def parts_of(message):
    """Parts of this message alone: what is inside an attached message is of that message."""
    if message.get_content_type() == "message/rfc822":
        return
    if message.is_multipart():
        for part in message.get_payload():
            yield from parts_of(part)
        return
    yield message


def line_of(path, message):
    sender = email.utils.getaddresses([str(message["From"] or "")])
    recipients = email.utils.getaddresses(
        [str(v) for name in ("To", "Cc", "Bcc") for v in message.get_all(name, [])])
    try:
        sent = email.utils.parsedate_to_datetime(str(message["Date"]))
        time = str(int(sent.timestamp())) if sent.tzinfo else "none"
    except (TypeError, ValueError):
        time = "none"
    digests = []
    for part in parts_of(message):
        if part.get_filename():
            digests.append(hashlib.sha256(part.get_payload(decode=True) or b"").hexdigest())
    seen = []
    for _, address in recipients:
        if address and address not in seen:
            seen.append(address)
    return "\t".join([path, decoded(message["Subject"]), sender[0][1] if sender else "", " ".join(seen), time,
                      " ".join(sorted(digests))])


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        head = file.read(5)
    if head == b"From ":
        for message in mailbox.mbox(path, create=False):
            print(line_of(path, message))
    else:
        with open(path, "rb") as file:
            print(line_of(path, email.message_from_bytes(file.read())))
